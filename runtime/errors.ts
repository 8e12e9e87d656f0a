// Errors that a person can act on. Every one has a number, and its text is assembled here from the same four parts:
// what was attempted (with names and shapes), the rule that was broken, where the user wrote it, and what to try.
// The class stands in the runtime because everything above may import it; each layer keeps the table of its own numbers.

export interface ErrorParts {
  /** What was attempted, with names and shapes: one sentence without a full stop. */
  readonly what: string;
  /** The rule that was broken. */
  readonly rule?: string | undefined;
  /** What to try. */
  readonly hint?: string | undefined;
  readonly loc?: ErrorLocation | null | undefined;
}

/** Where the user wrote it. Line and column count from 1. */
export interface ErrorLocation {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** An error of Heddle. `code` is stable; the parts are also there as fields. */
export class HeddleError extends Error {
  override readonly name = 'HeddleError';
  readonly code: string;
  readonly parts: ErrorParts;

  constructor(code: string, parts: ErrorParts, options?: ErrorOptions) {
    super(formatError(code, parts), options);
    this.code = code;
    this.parts = parts;
  }
}

function formatError(code: string, parts: ErrorParts): string {
  const lines = [`${code}: ${parts.what}`];
  if (parts.rule) lines.push(`  rule: ${parts.rule}`);
  if (parts.loc) lines.push(`  at:   ${formatLocation(parts.loc)}`);
  if (parts.hint) lines.push(`  try:  ${parts.hint}`);
  return lines.join('\n');
}

/** `file:line:column` */
export function formatLocation(loc: ErrorLocation): string {
  return `${loc.file}:${loc.line}:${loc.column}`;
}

/** Errors of the runtime, by number. */
export const runtimeErrors = {
  HDL1001: 'input is missing, or has the wrong shape or dtype',
  HDL1002: 'used after dispose',
  HDL1003: 'a worker failed',
  HDL1004: 'index out of range',
  HDL1005: 'a value is not finite',
  HDL1006: 'plan cannot be loaded',
  HDL1007: 'out of memory',
  HDL1008: 'unknown variable or entry point',
  HDL1009: 'executor is busy',
  HDL1020: 'checkpoint cannot be read or restored',
  HDL1021: 'data set cannot be downloaded or read',
  HDL1099: 'internal error',
} as const;

export type RuntimeErrorCode = keyof typeof runtimeErrors;

export function runtimeError(code: RuntimeErrorCode, parts: ErrorParts, options?: ErrorOptions): HeddleError {
  return new HeddleError(code, parts, options);
}
