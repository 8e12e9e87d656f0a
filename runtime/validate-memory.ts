// Does what a plan says of its arena fit together? Types and ranges of locations have been checked before.

import { reachOf, timesOfSteps } from './loops.ts';
import { check, checkCount, isRecord } from './malformed.ts';
import type { Location, PlanBuffer, PlanManifest } from './plan.ts';
import { tensorBytes } from './tensor.ts';

/** Bytes that an arena may have beyond what anything in it uses. */
const mostSlack = 65536;

/** Throws Malformed. */
export function checkBuffers(m: PlanManifest): void {
  m.buffers.forEach((buffer, i) => {
    check(isRecord(buffer) && typeof buffer.name === 'string', `buffers[${i}] has no name`);
    checkCount(buffer.offset, `buffers[${i}].offset`);
    checkCount(buffer.bytes, `buffers[${i}].bytes`);
    check(buffer.offset + buffer.bytes <= m.arenaBytes, `buffers[${i}] is not inside the arena`);
    check(Number.isInteger(buffer.from) && Number.isInteger(buffer.to), `buffers[${i}] has no lifetime`);
  });
}

/**
 * What is said of buffers and of addresses fits: what is touched from each address in the arena lies in a buffer that
 * lives then. For plans that list their buffers.
 */
export function checkLives(m: PlanManifest): void {
  if (m.buffers.length === 0) return;
  // Plans have thousands of buffers, of which few live at once: steps are visited in order, with those that live then.
  const coming = [...m.buffers].sort((x, y) => x.from - y.from);
  let next = 0;
  let living: PlanBuffer[] = [];
  const begin = (step: number): void => {
    living = living.filter((b) => b.to >= step);
    for (; next < coming.length && coming[next]!.from <= step; next++) {
      if (coming[next]!.to >= step) living.push(coming[next]!);
    }
  };
  const times = timesOfSteps(m);
  const checkInside = (
    where: string,
    location: Location,
    bytes: number,
    reach = { least: 0, most: 0 },
  ): void => {
    if (location.space !== 'arena') return;
    const first = location.offset + reach.least;
    const end = location.offset + reach.most + bytes;
    const isThere = living.some((b) => b.offset <= first && end <= b.offset + b.bytes);
    check(isThere, `${where} is not the place of a buffer that lives then`);
  };
  begin(-1);
  m.inputs.forEach((p, i) => {
    checkInside(`inputs[${i}].location`, p.location, tensorBytes(p));
  });
  m.steps.forEach(({ args, kernel, moves }, s) => {
    begin(s);
    args.forEach((location, a) => {
      const { bytes } = m.kernels[kernel]!.params[a]!;
      checkInside(`steps[${s}].args[${a}]`, location, bytes, reachOf(moves?.[a], times[s]!));
    });
  });
  begin(m.steps.length);
  m.outputs.forEach((p, i) => {
    checkInside(`outputs[${i}].location`, p.location, tensorBytes(p));
  });
}

/** A plan asks for no more memory than it can say what for. */
export function checkArena(m: PlanManifest): void {
  let used = 0;
  const use = (location: Location, bytes: number): void => {
    if (location.space === 'arena') used = Math.max(used, location.offset + bytes);
  };
  for (const placement of [...m.inputs, ...m.outputs]) use(placement.location, tensorBytes(placement));
  const times = timesOfSteps(m);
  m.steps.forEach(({ args, kernel, moves }, s) => {
    args.forEach((location, a) => {
      use(location, reachOf(moves?.[a], times[s]!).most + m.kernels[kernel]!.params[a]!.bytes);
    });
  });
  for (const { offset, bytes } of m.buffers) used = Math.max(used, offset + bytes);
  check(m.arenaBytes <= used + mostSlack, `arenaBytes is ${m.arenaBytes}, no more than ${used} are used`);
}
