// One process at a time downloads a file: the others wait, and find it in the cache.
//
// The lock is a file with the number of its process, touched every few seconds. It is taken over when that process is gone, or has not
// touched it for long: numbers of processes are used again. Should two ever work at once after all, what they make fails the checks.

import { nodeModule } from '../../../runtime/node.ts';

const beatMs = 5_000;
const staleMs = 30_000;
const askMs = 100;

/** Waits until nobody else has the lock, and returns what gives it back. Throws the signal's reason when it is aborted. */
export async function lock(path: string, signal: AbortSignal | undefined): Promise<() => Promise<void>> {
  const fs = nodeModule('node:fs/promises')!;
  await fs.mkdir(nodeModule('node:path')!.dirname(path), { recursive: true });
  for (;;) {
    signal?.throwIfAborted();
    try {
      await fs.writeFile(path, String(process.pid), { flag: 'wx' });
      break;
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'EEXIST') throw error;
    }
    if (await isStale(path)) await fs.rm(path, { force: true });
    else await new Promise((resolve) => setTimeout(resolve, askMs));
  }
  const beat = setInterval(() => {
    const now = new Date();
    fs.utimes(path, now, now).catch(() => {});
  }, beatMs);
  beat.unref();
  return async () => {
    clearInterval(beat);
    await fs.rm(path, { force: true });
  };
}

async function isStale(path: string): Promise<boolean> {
  const fs = nodeModule('node:fs/promises')!;
  try {
    const [{ mtimeMs }, text] = await Promise.all([fs.stat(path), fs.readFile(path, 'utf8')]);
    // Between being made and being written it is empty.
    const isGone = text !== '' && !isAlive(Number(text));
    return isGone || Date.now() - mtimeMs > staleMs;
  } catch {
    // Given back meanwhile.
    return false;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as { code?: unknown }).code === 'EPERM';
  }
}
