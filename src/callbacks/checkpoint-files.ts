// Names of checkpoint files: `run-{step}.safetensors` stands for run-500.safetensors, run-1000.safetensors, …

import { nodeModule } from '../../runtime/node.ts';

/** The name at a moment. */
export function pathOf(path: string, at: { readonly epoch: number; readonly step: number }): string {
  return path.replaceAll('{epoch}', String(at.epoch)).replaceAll('{step}', String(at.step));
}

/** Whether the path stands for many files. */
export function isTemplate(path: string): boolean {
  return /\{(epoch|step)\}/.test(path);
}

/** The files that a path stands for, newest first: by step, then by epoch. */
export async function filesOf(path: string): Promise<string[]> {
  const fs = nodeModule('node:fs/promises')!;
  const { basename, dirname, join } = nodeModule('node:path')!;
  const folder = dirname(path);
  const escaped = basename(path).replace(/[.*+?^$()|[\]\\]/g, '\\$&');
  const pattern = new RegExp(
    `^${escaped.replace('{step}', '(?<step>\\d+)').replace('{epoch}', '(?<epoch>\\d+)')}$`,
  );
  const names = await fs.readdir(folder).catch((error: { readonly code?: unknown }) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  const found = names.flatMap((name) => {
    const match = pattern.exec(name)?.groups;
    return match === undefined
      ? []
      : [{ name, step: Number(match['step'] ?? 0), epoch: Number(match['epoch'] ?? 0) }];
  });
  return found.sort((a, b) => b.step - a.step || b.epoch - a.epoch).map(({ name }) => join(folder, name));
}

/** Removes all but the newest. */
export async function removeOlder(path: string, keep: number): Promise<void> {
  const fs = nodeModule('node:fs/promises')!;
  for (const file of (await filesOf(path)).slice(keep)) await fs.rm(file, { force: true });
}
