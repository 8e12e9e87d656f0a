// Convolutions by fewer products, as programs run them: how much they round, where a NaN goes, who refuses them.

import t from 'tap';
import {
  conv2d,
  entry,
  grad,
  initializers,
  mul,
  type ProgramOptions,
  program,
  relu,
  sum,
  type Tensor,
  tensor,
  variable,
} from '../../src/index.ts';
import { seededRandom } from '../support/random.ts';

const [channels, size] = [32, 16];
const seed = 5;

function made(options: ProgramOptions) {
  const w = variable('w', [channels, channels, 3, 3], initializers.heNormal());
  return program(
    {
      apply: entry({ x: tensor([1, channels, size, size]) }, ({ x }) => ({
        y: conv2d(x, w, { padding: 1 }),
      })),
    },
    { seed, threads: 1, ...options },
  );
}

function picture(): Float32Array {
  const random = seededRandom(seed);
  return Float32Array.from({ length: channels * size * size }, () => Math.max(0, random.uniform(-1, 1)));
}

async function result(options: ProgramOptions, x: Float32Array = picture()): Promise<ArrayLike<number>> {
  const p = made(options);
  const { y } = await p.run('apply', { x });
  await p.dispose();
  return y.data;
}

/** Root of the mean square of the error over that of the values. */
function relativeError(y: ArrayLike<number>, exact: ArrayLike<number>): number {
  let [error, sum] = [0, 0];
  for (let i = 0; i < exact.length; i++) {
    error += (y[i]! - exact[i]!) ** 2;
    sum += exact[i]! ** 2;
  }
  return Math.sqrt(error / sum);
}

t.test('the error is about twice that of the plain sum, for every target', async (t) => {
  const exact = await result({ target: 'reference' });
  for (const options of [{}, { relaxed: false }, { target: 'js' }] as const) {
    const plain = relativeError(await result({ ...options, winograd: false }), exact);
    const fewer = relativeError(await result(options), exact);
    const both = `${JSON.stringify(options)}: ${plain.toExponential(2)} and ${fewer.toExponential(2)}`;
    t.ok(plain < 5e-7 && fewer < 1e-6 && fewer < 3 * plain, both);
    t.not(fewer, plain, 'other last bits');
  }
});

t.test('gradients to weights round about twice as much, too', async (t) => {
  const [batch, width] = [8, 16];
  const random = seededRandom(seed);
  const draw = (n: number): Float32Array => Float32Array.from({ length: n }, () => random.uniform(-1, 1));
  const [x, e] = [draw(batch * channels * width * width), draw(batch * channels * width * width)];
  const gradient = async (options: ProgramOptions): Promise<ArrayLike<number>> => {
    const w = variable('w', [channels, channels, 3, 3], initializers.heNormal());
    const pictures = tensor([batch, channels, width, width]);
    const p = program(
      {
        weights: entry({ x: pictures, e: pictures }, ({ x, e }) => ({
          dw: grad(sum(mul(conv2d(x, w, { padding: 1 }), e)), [w])[0]!,
        })),
      },
      { seed, threads: 1, ...options },
    );
    const { dw } = await p.run('weights', { x, e });
    await p.dispose();
    return dw.data;
  };
  const exact = await gradient({ target: 'reference' });
  const plain = relativeError(await gradient({ winograd: false }), exact);
  const fewer = relativeError(await gradient({}), exact);
  const both = `${plain.toExponential(2)} and ${fewer.toExponential(2)}`;
  t.ok(plain < 1e-6 && fewer < 2e-6 && fewer < 3 * plain, both);
  t.not(fewer, plain, 'other last bits');
});

t.test('the same bits for any number of threads', async (t) => {
  const one = Array.from(await result({}));
  for (const threads of [2, 3]) t.same(Array.from(await result({ threads })), one, `${threads}`);
});

t.test('a NaN reaches the outputs of its taps, and at most the rest of their fours', async (t) => {
  const x = picture();
  const [row, column] = [6, 8];
  x[row * size + column] = Number.NaN;
  const columns = async (options: ProgramOptions): Promise<number[]> => {
    const y = await result(options, x);
    return Array.from({ length: size }, (_, c) => c).filter((c) => Number.isNaN(y[row * size + c]!));
  };
  t.same(await columns({ winograd: false }), [7, 8, 9]);
  // The six inputs of outputs 4 to 7 end with this one, which only the last of them needs.
  t.same(await columns({}), [7, 8, 9, 10, 11]);
});

t.test('who refuses it, gets the plain sum', async (t) => {
  const isRewritten = async (options: ProgramOptions): Promise<boolean> => {
    const p = made(options);
    await p.compile('apply');
    const passes = p.dump('passes');
    await p.dispose();
    return /^winograd: \d+ → \d+ nodes$/m.test(passes);
  };
  t.ok(await isRewritten({}));
  t.notOk(await isRewritten({ winograd: false }));
  t.ok(await isRewritten({ memory: { budget: 1 << 21 } }), 'the sums are a small part of the budget');
  t.notOk(await isRewritten({ memory: { budget: 1 << 20 } }), 'too large a part');
});

t.test('what does not fit into a budget with the sums, is compiled without them', async (t) => {
  const [layers, batch, width] = [3, 8, 32];
  const weights = Array.from({ length: layers }, (_, i) =>
    variable(`w${i}`, [16, 16, 3, 3], initializers.heNormal()),
  );
  const compiled = async (options: ProgramOptions): Promise<string> => {
    const train = entry({ x: tensor([batch, 16, width, width]) }, ({ x }) => {
      let y: Tensor = x;
      for (const w of weights) y = relu(conv2d(y, w, { padding: 1 }));
      const gradients = grad(sum(mul(y, y)), weights);
      return Object.fromEntries(gradients.map((g, i) => [`g${i}`, g]));
    });
    const p = program({ train }, { seed, threads: 1, ...options });
    try {
      await p.compile('train');
      return /^winograd: .*$/m.exec(p.dump('passes'))?.[0] ?? 'without';
    } finally {
      await p.dispose();
    }
  };
  const refusal = await compiled({ memory: { budget: 1000 } }).catch((error: Error) => error.message);
  const least = Number(/arena of (\d+) bytes/.exec(refusal)?.[1]);
  t.ok(least > 1e6, refusal);
  t.equal(await compiled({ memory: { budget: Math.ceil(1.02 * least) } }), 'without');
  t.match(await compiled({ memory: { budget: 2 * least } }), /nodes$/);
});
