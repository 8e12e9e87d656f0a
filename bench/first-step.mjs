// node bench/first-step.mjs WORKLOAD THREADS plain|fused: one cold start, for suites/cold.mjs
//
// In a process that has run none of the library: makes a program, runs it once, and writes a line of JSON with the times of
// both, of every stage that `program.timings` tells of, and of the processor. Data are there before the clock starts.

const started = performance.now();
const { enableRelaxed } = await import('./engine.mjs');
const { findWorkload } = await import('./workloads.mjs');
const { batches, trainingProgram } = await import('../build/test/support/workloads.js');
const importMs = performance.now() - started;

const [name, threads, variant] = process.argv.slice(2);
const workload = findWorkload(name);
const [batch] = batches(workload);
const relaxed = variant === 'fused' && enableRelaxed();

const processor = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};
const before = processor();
const call = performance.now();
const program = trainingProgram(workload, { threads: Number(threads), relaxed });
const { loss } = await program.run('train', batch);
const firstMs = performance.now() - call;
const processorMs = processor() - before;
const again = performance.now();
await program.run('train', batch);
const secondMs = performance.now() - again;
const stages = program.timings.flatMap(({ stages }) => stages);
console.log(JSON.stringify({ importMs, firstMs, secondMs, processorMs, stages, loss: loss.data[0] }));
await program.dispose();
