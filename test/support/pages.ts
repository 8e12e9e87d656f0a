// The generated pages of docs/: file name and text. `npm run docs` writes them, a test compares them.

import { compilerErrors } from '../../compiler/graph/errors.ts';
import { runtimeErrors } from '../../runtime/errors.ts';
import { documentOnnx } from '../../src/onnx/document.ts';
import { documentFunctions } from './math-page.ts';
import { documentAllOps } from './ops-page.ts';
import { documentVocabulary } from './vocabulary-page.ts';

export function pages(): Readonly<Record<string, string>> {
  return {
    'ops.md': documentAllOps(),
    'errors.md': documentErrors(),
    'math.md': documentFunctions(),
    'onnx.md': documentOnnx(),
    'vocabulary.md': documentVocabulary(),
  };
}

function documentErrors(): string {
  const table = (errors: Readonly<Record<string, string>>): string[] => [
    '| number | what it means |',
    '|---|---|',
    ...Object.entries(errors).map(([code, title]) => `| ${code} | ${title} |`),
  ];
  return `${[
    '# Errors',
    '',
    'Every error of Heddle has a number, names what was attempted, the rule that was broken and the line of the call, and',
    'says what to try. Numbers do not change (`npm run docs` writes this page from the tables in the code).',
    '',
    '## Building and compiling',
    '',
    ...table(compilerErrors),
    '',
    '## Running',
    '',
    ...table(runtimeErrors),
  ].join('\n')}\n`;
}
