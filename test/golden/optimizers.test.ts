// Ten steps of each optimizer against PyTorch's, on a small classifier: losses, and every parameter after every step.

import t from 'tap';
import {
  add,
  entry,
  grad,
  initializers,
  losses,
  matmul,
  type Optimizer,
  optimizers,
  program,
  tanh,
  tensor,
  transpose,
  variable,
} from '../../src/index.ts';
import { readNpy } from '../support/npy.ts';
import { missing, readJson, sharedFolder } from '../support/shared.ts';

interface Case {
  readonly settings: { readonly lr: number };
  readonly params: readonly string[];
  readonly steps: readonly { readonly t: number; readonly lr: number; readonly loss: number }[];
  readonly inputs: readonly {
    readonly name: string;
    readonly file: string;
    readonly shape: readonly number[];
  }[];
  readonly atol: number;
  readonly rtol: number;
}

const cases: Readonly<Record<string, (lr: number) => Optimizer>> = {
  sgd: (learningRate) => optimizers.sgd({ learningRate }),
  momentum: (learningRate) => optimizers.sgd({ learningRate, momentum: 0.9 }),
  nesterov: (learningRate) => optimizers.sgd({ learningRate, momentum: 0.9, nesterov: true }),
  sgd_l2: (learningRate) => optimizers.sgd({ learningRate, momentum: 0.9, weightDecay: 0.01 }),
  sgd_decoupled: (learningRate) =>
    optimizers.sgd({ learningRate, momentum: 0.9, weightDecay: 0.01, decoupled: true }),
  sgd_clip_global_norm: (learningRate) => optimizers.sgd({ learningRate, clipNorm: 0.5 }),
  adam: (learningRate) => optimizers.adam({ learningRate }),
  adam_l2: (learningRate) => optimizers.adam({ learningRate, weightDecay: 0.1 }),
  adamw: (learningRate) => optimizers.adamw({ learningRate, weightDecay: 0.1 }),
  amsgrad: (learningRate) => optimizers.adam({ learningRate, amsgrad: true }),
  adam_warmup_cosine: (learningRate) => optimizers.adam({ learningRate }),
  rmsprop: (learningRate) => optimizers.rmsprop({ learningRate }),
  rmsprop_momentum: (learningRate) => optimizers.rmsprop({ learningRate, momentum: 0.9 }),
  adagrad: (learningRate) => optimizers.adagrad({ learningRate }),
};

for (const [name, make] of Object.entries(cases)) {
  const folder = `golden/optim/optim.${name}`;
  t.test(name, { skip: missing(folder) }, async (t) => {
    const c = readJson<Case>(`${folder}/case.json`);
    const values = new Map(c.inputs.map((i) => [i.name, readNpy(`${sharedFolder}/${folder}/${i.file}`)]));
    const parameters = c.params.map((p) => {
      const { shape, data } = values.get(p)!;
      return variable(p, [...shape], initializers.fromArray(data));
    });
    const [w1, b1, w2, b2] = parameters as [
      (typeof parameters)[0],
      (typeof parameters)[0],
      (typeof parameters)[0],
      (typeof parameters)[0],
    ];
    const optimizer = make(c.settings.lr);
    const p = program(
      {
        train: entry(
          { x: tensor([12, 5]), labels: tensor([12], 'i32') },
          ({ x, labels }, ctx) => {
            const h = tanh(add(matmul(x, transpose(w1)), b1));
            const loss = losses.softmaxCrossEntropy(add(matmul(h, transpose(w2)), b2), labels);
            optimizer.update(parameters, grad(loss, parameters), ctx);
            return { loss };
          },
          { training: true },
        ),
      },
      { target: 'reference' },
    );
    await p.compile('train');
    let worst = 0;
    for (const step of c.steps) {
      p.set('optimizer/learningRate', step.lr);
      const { loss } = await p.run('train', {
        x: values.get('x')!.data,
        labels: values.get('labels')!.data,
      });
      worst = Math.max(worst, Math.abs(loss.data[0]! - step.loss) / (c.atol + c.rtol * step.loss));
      for (const v of parameters) {
        const id = String(step.t).padStart(2, '0');
        const want = readNpy(`${sharedFolder}/${folder}/p${id}_${v.name}.npy`).data;
        const got = p.get(v).data;
        for (let i = 0; i < want.length; i++) {
          worst = Math.max(worst, Math.abs(got[i]! - want[i]!) / (c.atol + c.rtol * Math.abs(want[i]!)));
        }
      }
    }
    t.ok(worst <= 1, `the largest difference is ${worst.toFixed(3)} of what is allowed`);
  });
}
