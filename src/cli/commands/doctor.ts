// @node-only
// heddle doctor: what this machine and this Node can do, and what that means for programs that run here.

import { accessSync, constants, readFileSync } from 'node:fs';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { delimiter, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { compilerVersion } from '../../../compiler/version.ts';
import { featureObstacle, featureState, relaxedSimd } from '../../../runtime/features.ts';
import { availableCores, canShareMemory, coresOfGroup, hostOf } from '../../../runtime/host.ts';
import { formatBytes } from '../../describe.ts';
import { writeOut } from '../output.ts';

export interface Finding {
  /** Stable, for scripts. */
  readonly id: string;
  readonly title: string;
  /** `lacks` costs speed or a feature; `fails` means that Heddle does not run. */
  readonly state: 'fine' | 'lacks' | 'fails';
  readonly found: string;
  readonly means: string;
}

export interface DoctorFlags {
  readonly json?: boolean;
}

/** Prints the findings; exit code 1 when programs cannot run here. */
export async function doctor({ json = false }: DoctorFlags): Promise<void> {
  const findings = await examine();
  if (json) writeOut(JSON.stringify({ version: compilerVersion, findings }, null, 2));
  else writeOut(findings.map(lines).join('\n'));
  if (findings.some((f) => f.state === 'fails')) process.exitCode = 1;
}

function lines({ title, state, found, means }: Finding): string {
  const mark = { fine: 'ok ', lacks: '-- ', fails: 'NO ' }[state];
  return `${mark} ${title.padEnd(18)} ${found}\n${' '.repeat(23)}${means}`;
}

async function examine(): Promise<Finding[]> {
  return [node(), simd(), relaxed(), shared(), await threads(), cores(), memory(), compiler()];
}

function node(): Finding {
  const { cpu, engine } = hostOf();
  const [major, minor] = process.versions.node.split('.').map(Number);
  const isOld = major! < 20 || (major === 20 && minor! < 19);
  const strips = Boolean((process.features as { readonly typescript?: unknown }).typescript);
  return {
    id: 'node',
    title: 'Node',
    state: isOld ? 'fails' : 'fine',
    found: `${engine} (V8 ${process.versions.v8}) on ${process.platform} ${process.arch}${cpu === null ? '' : `, ${cpu}`}`,
    means: isOld
      ? 'Heddle needs Node 20.19 or later'
      : `modules in TypeScript lose their types ${strips ? 'in Node itself' : 'in Heddle, since this Node does not do it'}`,
  };
}

function simd(): Finding {
  const obstacle = featureObstacle('simd128');
  return {
    id: 'simd',
    title: 'SIMD',
    state: obstacle === null ? 'fine' : 'fails',
    found: obstacle ?? 'WebAssembly with vectors of 128 bits',
    means:
      obstacle === null
        ? 'target wasm runs: four floats at a time'
        : "compile for target 'js', which is slow",
  };
}

function relaxed(): Finding {
  const state = featureState(relaxedSimd);
  const found = {
    native: 'the engine has it',
    flag: 'behind a flag of V8, which Heddle sets while it compiles a module, and only then',
    refused: 'HEDDLE_RELAXED=0 refuses it',
    absent: 'the engine does not have it',
  }[state];
  const has = state === 'native' || state === 'flag';
  return {
    id: 'relaxed-simd',
    title: 'relaxed SIMD',
    state: has ? 'fine' : 'lacks',
    found,
    means: has
      ? 'plans use fused multiply-add: faster, other last bits than without (relaxed: false)'
      : 'plans multiply and add apart: slower, the same bits on every machine',
  };
}

function shared(): Finding {
  const can = canShareMemory();
  return {
    id: 'shared-memory',
    title: 'shared memory',
    state: can ? 'fine' : 'lacks',
    found: can ? 'SharedArrayBuffer, and Atomics to wait on it' : 'no SharedArrayBuffer',
    means: can ? 'workers compute on one copy of all data' : 'one thread computes',
  };
}

async function threads(): Promise<Finding> {
  const obstacle = await workerObstacle();
  const can = obstacle === null && canShareMemory();
  const used = can ? availableCores() : 1;
  return {
    id: 'threads',
    title: 'threads',
    state: can ? 'fine' : 'lacks',
    found:
      obstacle === null
        ? `workers start; ${used} thread${used === 1 ? '' : 's'} by default`
        : `workers do not start: ${obstacle}`,
    means: `${used === 1 ? 'the calling thread computes' : 'workers compute, and the calling thread is free'}; program(…, { threads }) sets another number`,
  };
}

/** Starts one, since permissions and limits show only then; null when it answers. */
function workerObstacle(): Promise<string | null> {
  return new Promise((done) => {
    try {
      const worker = new Worker("require('node:worker_threads').parentPort.postMessage(1)", { eval: true });
      worker.once('message', () => done(null));
      worker.once('error', (error) => done(error.message));
    } catch (error) {
      done((error as Error).message);
    }
  });
}

function cores(): Finding {
  const all = cpus().length;
  const allowed = availableParallelism();
  const group = coresOfGroup(readText);
  const isCut = availableCores() < all;
  return {
    id: 'cores',
    title: 'cores',
    state: isCut ? 'lacks' : 'fine',
    found: `${all} in the machine, ${allowed} that this process may be scheduled on, ${
      Number.isFinite(group) ? `${group} by the limit of its control group` : 'no limit of a control group'
    }`,
    means: `${availableCores()} are used${isCut ? ': more threads than that would wait for each other' : ''}`,
  };
}

function memory(): Finding {
  const limit = Number(readText('/sys/fs/cgroup/memory.max') ?? Number.NaN);
  const total = totalmem();
  const usable = limit > 0 && limit < total ? limit : total;
  return {
    id: 'memory',
    title: 'memory',
    state: 'fine',
    found: `${formatBytes(total)} in the machine${usable < total ? `, ${formatBytes(usable)} by the limit of its control group` : ''}`,
    means: `a program has one memory of at most ${formatBytes(Math.min(usable, 2 ** 32))}; { memory: { budget } } makes plans fit less`,
  };
}

function compiler(): Finding {
  const names = ['cc', 'clang', 'gcc'];
  const found = names.map(find).find((path) => path !== null);
  return {
    id: 'c-compiler',
    title: 'C compiler',
    state: 'fine',
    found: found ?? `none (looked for ${names.join(', ')})`,
    means: 'not needed: targets are wasm and js',
  };
}

function find(name: string): string | null {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const path = join(folder, process.platform === 'win32' ? `${name}.exe` : name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // The next folder.
    }
  }
  return null;
}

function readText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}
