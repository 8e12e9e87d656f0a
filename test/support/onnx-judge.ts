// Another opinion on ONNX models: Python's onnx checks them, and onnxruntime runs them, where both are installed. One process
// answers for all models of a test file.

import { spawn, spawnSync } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { HostTensor } from '../../compiler/graph/ir.ts';

export interface OnnxJudge {
  /** Outputs by name, why there are none, or null where the runtime lacks an operator for the types of the model. */
  readonly run: (
    bytes: Uint8Array,
    inputs: Readonly<Record<string, HostTensor>>,
  ) => Promise<{ readonly outputs: Record<string, number[]> } | { readonly error: string } | null>;
  readonly close: () => void;
}

const script = `
import sys, json, base64, numpy as np, onnx, onnxruntime as ort
ort.set_default_logger_severity(4)
types = {'f32': np.float32, 'i32': np.int32, 'u32': np.uint32, 'bool': np.bool_, 'u8': np.uint8}
for line in sys.stdin:
    q = json.loads(line)
    try:
        b = base64.b64decode(q['model'])
        m = onnx.load_from_string(b)
        onnx.checker.check_model(m, full_check=True)
        feeds = {k: np.array([float(x) for x in v['data']], dtype=np.float64).astype(types[v['dtype']]).reshape(v['shape']) for k, v in q['inputs'].items()}
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        try:
            s = ort.InferenceSession(b, options, providers=['CPUExecutionProvider'])
        except Exception as e:
            if 'NOT_IMPLEMENTED' in str(e) or 'Could not find an implementation' in str(e) or 'Type Error' in str(e) or 'INVALID_GRAPH' in str(e) and 'is invalid' in str(e):
                print(json.dumps({'skip': str(e)[:300]}), flush=True)
                continue
            raise
        names = {i.name for i in s.get_inputs()}
        outs = s.run(None, {k: v for k, v in feeds.items() if k in names})
        print(json.dumps({'outputs': {o.name: [str(float(x)) for x in v.reshape(-1)] for o, v in zip(s.get_outputs(), outs)}}), flush=True)
    except Exception as e:
        # ONNX leaves it open; runtimes refuse it.
        key = 'skip' if 'modulo by zero' in str(e) or 'division by zero' in str(e) else 'error'
        print(json.dumps({key: str(e)[:1000]}), flush=True)
`;

/** Null where Python, onnx or onnxruntime is missing. HEDDLE_PYTHON names another interpreter than `python3`. */
export async function onnxJudge(): Promise<OnnxJudge | null> {
  const python = process.env['HEDDLE_PYTHON'] ?? 'python3';
  const probe = spawnSync(python, ['-c', 'import onnx, onnxruntime, numpy'], { stdio: 'ignore' });
  if (probe.status !== 0) return null;
  const child = spawn(python, ['-c', script], { stdio: ['pipe', 'pipe', 'inherit'] });
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    run: async (bytes, inputs) => {
      const plain = Object.entries(inputs).map(([name, { type, data }]) => [
        name,
        { dtype: type.dtype, shape: type.shape, data: Array.from(data, String) },
      ]);
      const question = { model: Buffer.from(bytes).toString('base64'), inputs: Object.fromEntries(plain) };
      child.stdin.write(`${JSON.stringify(question).replaceAll('Infinity', 'inf')}\n`);
      const answer = JSON.parse((await answers.next()).value ?? '{"error":"the process has ended"}');
      if ('skip' in answer) return null;
      if ('error' in answer) return answer;
      const outputs = Object.entries(answer.outputs as Record<string, string[]>).map(([name, list]) => [
        name,
        list.map((v) => Number(v.replace('inf', 'Infinity').replace('nan', 'NaN'))),
      ]);
      return { outputs: Object.fromEntries(outputs) };
    },
    close: () => void child.stdin.end(),
  };
}
