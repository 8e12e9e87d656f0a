// Timed blocks of a program by its profiler, for suites that want kernels without copies of inputs and outputs.

/** Time of a block, and of the runs before the first, until the engine has optimised the kernels. */
const blockMs = 40;
const warmUpMs = 80;

/** `profile()` of an entry over about `blockMs`; warmed up already. */
export async function profiled(program, entry, feeds) {
  const first = await program.profile(entry, feeds, { runs: 3, warmUp: 1 });
  const each = Math.max(first.totals.wallMs, 0.001);
  const count = (ms) => Math.min(2000, Math.max(1, Math.ceil(ms / each)));
  await program.profile(entry, feeds, { runs: 1, warmUp: count(warmUpMs) });
  const runs = Math.max(3, count(blockMs));
  return () => program.profile(entry, feeds, { runs, warmUp: 0 });
}

/** Milliseconds per run of an entry as a caller sees it, over about `blockMs`. */
export async function timedRuns(program, entry, feeds) {
  const once = async (count) => {
    const start = performance.now();
    for (let i = 0; i < count; i++) await program.run(entry, feeds);
    return (performance.now() - start) / count;
  };
  // The first run compiles.
  await once(1);
  const each = await once(3);
  await once(Math.max(1, Math.ceil(warmUpMs / each)));
  return () => once(Math.max(3, Math.ceil(blockMs / each)));
}
