// schedule: what two workers bring, as the caller sees it: ResNet-8 training and inference of one picture, against what
// a kernel of multiply-adds alone gains on the same two workers in the same rounds; and what is lost between kernels,
// beside what the machine takes from any plan with as many barriers as far apart (floor.mjs).

import { interleave, median } from '../../build/test/bench-support/statistics.js';
import { workerCounts } from '../ceilings.mjs';
import { floorOf } from '../floor.mjs';
import { profiled, timedRuns } from '../profiles.mjs';
import { fixed, percent, printTable } from '../table.mjs';
import { findWorkload, programOf } from '../workloads.mjs';

const names = ['resnet8', 'resnet8-infer-b1'];

export const schedule = {
  about:
    'two workers over one: ResNet-8, against multiply-add alone; share lost to synchronisation and imbalance',
  async run({ ceilings, relaxed, rounds }) {
    if (workerCounts.length < 2) {
      console.log('  only one core is available here');
      return null;
    }
    const contenders = workerCounts.map((workers) => ({
      name: `peak ${workers}`,
      sample: () => ceilings.peak(workers),
    }));
    const programs = [];
    const profiles = new Map();
    for (const name of names) {
      for (const threads of workerCounts) {
        const { program, entry, feeds } = programOf(findWorkload(name), { threads, relaxed });
        programs.push(program);
        contenders.push({ name: `${name} ${threads}`, sample: await timedRuns(program, entry, feeds) });
        const profile = await profiled(program, entry, feeds);
        const note = (key, totalsOf) => {
          const noted = [];
          profiles.set(key, noted);
          contenders.push({
            name: `${key} profile`,
            sample: async () => {
              const totals = await totalsOf();
              noted.push(totals);
              return totals.walkMs;
            },
          });
        };
        note(`${name} ${threads}`, async () => (await profile()).totals);
        if (threads === 1) continue;
        const { barriers, totals } = await profile();
        const floor = await floorOf(barriers + 1, totals.kernelMs / threads);
        programs.push(floor);
        note(`${name} floor`, floor.own);
        note(`${name} shared floor`, floor.shared);
      }
    }
    const samples = await interleave(rounds, contenders);
    for (const program of programs) await program.dispose();
    const of = (name) => samples.get(name);
    const gain = (name) => of(`${name} 1`).map((ms, r) => ms / of(`${name} 2`)[r]);
    const best = of('peak 2').map((rate, r) => rate / of('peak 1')[r]);
    const rows = names.map((name) => {
      const total = (workers, key) => median(profiles.get(`${name} ${workers}`).map((t) => t[key]));
      const shareOf = (key) => total(2, key) / (2 * total(2, 'walkMs'));
      return {
        name,
        ms: [median(of(`${name} 1`)), median(of(`${name} 2`))],
        speedup: median(gain(name)),
        bestSpeedup: Math.min(...of(`${name} 1`)) / Math.min(...of(`${name} 2`)),
        ofBest: median(gain(name).map((g, r) => g / best[r])),
        walkSpeedup: total(1, 'walkMs') / total(2, 'walkMs'),
        kernelGrowth: total(2, 'kernelMs') / total(1, 'kernelMs'),
        lostShare: total(2, 'lostShare'),
        floor: total('floor', 'lostShare'),
        sharedFloor: total('shared floor', 'lostShare'),
        imbalance: shareOf('imbalanceMs'),
        synchronisation: shareOf('synchronisationMs'),
        wakeMs: total(2, 'wakeMs'),
        copyMs: total(2, 'copyMs'),
      };
    });
    const bestOf = Math.max(...of('peak 2')) / Math.max(...of('peak 1'));
    console.log(
      `  multiply-add alone: two workers × ${fixed(median(best), 3)} of one (from ${fixed(Math.min(...best), 3)} to ${fixed(Math.max(...best), 3)}: how far the machine was ours), best of each × ${fixed(bestOf, 3)}`,
    );
    printTable(
      [
        'as the caller sees it',
        '1 worker, ms',
        '2 workers, ms',
        'speed-up',
        '÷ multiply-add',
        'best of each',
      ],
      rows.map((r) => [
        r.name,
        fixed(r.ms[0], 3),
        fixed(r.ms[1], 3),
        fixed(r.speedup, 3),
        fixed(r.ofBest, 3),
        fixed(r.bestSpeedup, 3),
      ]),
    );
    console.log();
    printTable(
      [
        'on two workers',
        'walk speed-up',
        'time in kernels ×',
        'lost',
        'imbalance',
        'synchronisation',
        'floor: lost',
        'floor, shared',
        'waking ms',
        'copying ms',
      ],
      rows.map((r) => [
        r.name,
        fixed(r.walkSpeedup, 3),
        fixed(r.kernelGrowth, 3),
        percent(r.lostShare),
        percent(r.imbalance),
        percent(r.synchronisation),
        percent(r.floor),
        percent(r.sharedFloor),
        fixed(r.wakeMs, 3),
        fixed(r.copyMs, 3),
      ]),
    );
    return { multiplyAdd: median(best), multiplyAddBest: bestOf, rows };
  },
};
