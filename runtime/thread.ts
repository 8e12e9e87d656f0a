// One worker thread, in Node and in browsers alike: the host's own `Worker` where it has one, else that of `web-worker`,
// which gives Node the interface of browsers. What only Node has (a thread that does not keep the process alive, an event at
// its end) is reached through the worker_threads object below it, and done without where there is none.
//
// `web-worker` is imported when a thread is wanted and the host has none: executors of one thread never need it, and its
// import throws in a worker_threads thread that it has not started itself.

interface ThreadEvents {
  readonly onMessage: (message: unknown) => void;
  /** The thread has ended without being asked to. */
  readonly onDeath: (reason: string) => void;
}

export interface Thread {
  /** What is to be transferred leaves this thread. */
  post(message: unknown, transfer?: readonly ArrayBuffer[]): void;
  /** From now on the thread keeps the process alive. */
  hold(): void;
  release(): void;
  /** Asks a thread that is in its event loop to end, and waits for it. */
  stop(): Promise<void>;
  /** Ends the thread wherever it is. */
  terminate(): Promise<void>;
  /** The same, as if it came from outside: its death is told. */
  kill(): Promise<void>;
}

/** What worker_threads and other hosts may offer beyond the standard. */
interface Handle {
  ref?(): void;
  unref?(): void;
}

export type WorkerClass = new (url: URL, options: { readonly type: 'module' }) => Worker;

/**
 * Makes a worker of one kind: as the class `Own` where the host has none itself, else by `new Worker(new URL('./NAME.js',
 * import.meta.url), { type: 'module' })`. Bundlers look for that expression as it stands, with the global `Worker`, and emit
 * the file with all that it imports. So their names differ, for bundles that lie in one folder.
 */
export type MakeWorker = (Own: WorkerClass | null) => Worker;

const stopMs = 1000;

/** The class of workers where the host has none itself; null where it has; undefined where none can be started. */
export async function findWorkerClass(): Promise<WorkerClass | null | undefined> {
  if (typeof Worker === 'function') return null;
  try {
    const { default: Own } = await import('web-worker');
    return typeof Own === 'function' ? (Own as WorkerClass) : undefined;
  } catch {
    return undefined;
  }
}

/** The file `name` in the folder of a module. A function of its own, so that no bundler sees a second copy of it wanted. */
export function beside(name: string, module: string): URL {
  return new URL(name, module);
}

const makeComputing: MakeWorker = (Own) =>
  Own === null
    ? new Worker(new URL('./worker.js', import.meta.url), { type: 'module' })
    : new Own(beside('worker.js', import.meta.url), { type: 'module' });

/**
 * Starts a thread on worker.js, which sends nothing before it is sent `start`; or on what `make` makes, which ends when it is sent
 * `stop`.
 */
export async function startThread(events: ThreadEvents, make: MakeWorker = makeComputing): Promise<Thread> {
  const Own = await findWorkerClass();
  if (Own === undefined) throw new Error('this host has no workers');
  const worker = make(Own);
  const below = (worker as unknown as Record<symbol, Handle | undefined>)[Symbol.for('worker')];
  const handle = below ?? (worker as unknown as Handle);

  let isAlive = true;
  let isExpected = false;
  let hasEnded = () => {};
  const ended = new Promise<void>((resolve) => {
    hasEnded = resolve;
  });
  const die = (reason: string) => {
    const isNews = isAlive && !isExpected;
    isAlive = false;
    if (isNews) events.onDeath(reason);
  };
  worker.addEventListener('message', (event) => events.onMessage(event.data));
  worker.addEventListener('messageerror', () => die('a message did not arrive'));
  // An event without a message is all that browsers say of a script that they did not get.
  worker.addEventListener('error', (event) =>
    die(`the worker died: ${event.message ?? 'its script cannot be loaded'}`),
  );
  worker.addEventListener('close', () => {
    die('the worker ended by itself');
    hasEnded();
  });
  // Only hosts that tell when a thread has ended are waited for.
  const end = async (ask: () => void) => {
    isExpected = true;
    ask();
    if (below === undefined) worker.terminate();
    else await within(stopMs, ended);
    worker.terminate();
  };
  return {
    post: (message, transfer) => {
      if (isAlive) worker.postMessage(message, [...(transfer ?? [])]);
    },
    hold: () => handle.ref?.(),
    release: () => handle.unref?.(),
    stop: () => end(() => worker.postMessage({ type: 'stop' })),
    terminate: () => end(() => worker.terminate()),
    kill: async () => {
      worker.terminate();
      if (below !== undefined) await within(stopMs, ended);
      die('the worker was ended');
    },
  };
}

async function within(ms: number, promise: Promise<void>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const timeout = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([promise, timeout]);
  clearTimeout(timer);
}
