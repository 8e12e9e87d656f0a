// The adapter for the judge: what `npm run build` emits, driven as a user of the package would drive it.
// HEDDLE_TARGET: wasm (default), js, reference (the interpreter, rounding to float32), exact (in float64, graphs only); HEDDLE_THREADS: number of workers (default 1).
export { evalGraph, onnxGradients, runOnnx, train } from '../../build/test/judge/adapter.js';
