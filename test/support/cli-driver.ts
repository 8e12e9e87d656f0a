// A process that runs command lines of `heddle`, one after the other: quicker than a process for each. Each line of standard
// input is a JSON list of arguments; each line of standard output the JSON of what that run wrote and its exit code.

import { createInterface } from 'node:readline';
import { main } from '../../src/cli/main.ts';

const answer = process.stdout.write.bind(process.stdout);

for await (const line of createInterface({ input: process.stdin })) {
  const written = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    process[name].write = (text: string | Uint8Array): boolean => {
      written[name] += String(text);
      return true;
    };
  }
  const code = await main(JSON.parse(line) as string[]);
  process.exitCode = undefined;
  answer(`${JSON.stringify({ code, ...written })}\n`);
}
