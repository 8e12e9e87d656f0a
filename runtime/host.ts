// What the host offers: cores, and memory that threads can share.

import { nodeModule } from './node.ts';

/** Cores that this process may use: those it may be scheduled on, and no more than its share of processor time allows. */
export function availableCores(): number {
  const os = nodeModule('node:os');
  const fs = nodeModule('node:fs');
  if (os === undefined) {
    return typeof navigator === 'undefined' ? 1 : (navigator.hardwareConcurrency ?? 1);
  }
  const read = (path: string): string | null => {
    try {
      return fs?.readFileSync(path, 'utf8') ?? null;
    } catch {
      return null;
    }
  };
  return Math.max(1, Math.min(os.availableParallelism(), coresOfGroup(read)));
}

/**
 * Cores worth of time that Linux gives to this process's control group and to the groups above it, rounded up; Infinity
 * when there is no limit. `read` gives the text of a file, null when there is none. Containers are limited in this way,
 * and some versions of Node count the cores of the machine nevertheless.
 *
 *     /proc/self/cgroup            0::/a/b                  version 2: cpu.max of /a/b, /a and the root
 *                                  4:cpu,cpuacct:/a         version 1: cpu.cfs_quota_us, cpu.cfs_period_us
 */
export function coresOfGroup(read: (path: string) => string | null): number {
  let least = Number.POSITIVE_INFINITY;
  for (const line of (read('/proc/self/cgroup') ?? '').split('\n')) {
    const [, controllers, path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    if (controllers === undefined || path === undefined) continue;
    const isV1 = controllers.split(',').includes('cpu');
    if (!isV1 && controllers !== '') continue;
    const root = isV1 ? '/sys/fs/cgroup/cpu' : '/sys/fs/cgroup';
    for (let at = path.replace(/\/+$/, ''); ; at = at.slice(0, at.lastIndexOf('/'))) {
      least = Math.min(least, isV1 ? quotaV1(read, root + at) : quotaV2(read(`${root}${at}/cpu.max`)));
      if (at === '') break;
    }
  }
  return least;
}

/** `150000 100000`: so many microseconds in each period of so many; `max 100000`: no limit. */
function quotaV2(text: string | null): number {
  return quota(...((text ?? '').trim().split(/\s+/) as [string?, string?]));
}

function quotaV1(read: (path: string) => string | null, folder: string): number {
  return quota(
    read(`${folder}/cpu.cfs_quota_us`) ?? undefined,
    read(`${folder}/cpu.cfs_period_us`) ?? undefined,
  );
}

function quota(time: string | undefined, period: string | undefined): number {
  const cores = Number(time) / Number(period);
  return cores > 0 ? Math.ceil(cores) : Number.POSITIVE_INFINITY;
}

/** What runs this, in words: for records of measurements. In browsers the processor is not known. */
export function hostOf(): { readonly cpu: string | null; readonly engine: string } {
  const os = nodeModule('node:os');
  if (os !== undefined)
    return { cpu: os.cpus()[0]?.model.trim() ?? null, engine: `Node ${process.versions.node}` };
  return {
    cpu: null,
    engine: (typeof navigator === 'undefined' ? undefined : navigator.userAgent) ?? 'unknown',
  };
}

/** Whether memory can be shared with workers. In browsers it needs an isolated page. */
export function canShareMemory(): boolean {
  if (typeof SharedArrayBuffer === 'undefined') return false;
  return typeof crossOriginIsolated === 'undefined' || crossOriginIsolated;
}
