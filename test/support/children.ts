// The training of `train-child.ts`, started and ended in different ways.

import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const script = fileURLToPath(new URL('./train-child.js', import.meta.url));

export interface Ending {
  /** Of the process; null when a signal ended it. */
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs it to its end; `watch` sees each piece of output and may send signals. */
export function train(
  args: readonly string[],
  watch: (output: string, kill: (signal: NodeJS.Signals) => void) => void = () => {},
): Promise<Ending> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [script, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      // What these trainings compile is verified elsewhere.
      env: { ...process.env, HEDDLE_VERIFY: '0' },
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
      watch(stdout, (signal) => child.kill(signal));
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
}
