// One worker thread, in Node and in browsers alike. `web-worker` gives both the interface of browsers; what only Node
// has (a thread that does not keep the process alive, an event at its end) is reached through the worker_threads
// object below it, and done without where there is none.
//
// `web-worker` is imported when a thread is wanted: executors of one thread never need it, and its import throws in a
// worker_threads thread that it has not started itself.

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

const stopMs = 1000;

/** The class of workers; undefined where none can be started. */
export async function findWorkerClass(): Promise<WorkerClass | undefined> {
  try {
    const { default: Worker } = await import('web-worker');
    return typeof Worker === 'function' ? (Worker as WorkerClass) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Starts a thread on worker.js, which sends nothing before it is sent `start`; or on what `make` makes, which ends when it is sent
 * `stop`.
 */
export async function startThread(
  events: ThreadEvents,
  // Written so that bundlers see a worker here and emit it.
  make: (Worker: WorkerClass) => Worker = (Worker) =>
    new Worker(new URL('./worker.js', import.meta.url), { type: 'module' }),
): Promise<Thread> {
  const Worker = await findWorkerClass();
  if (Worker === undefined) throw new Error('this host has no workers');
  const worker = make(Worker);
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
  worker.addEventListener('error', (event) => die(`the worker died: ${event.message ?? 'unknown error'}`));
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
      if (isAlive) worker.postMessage(message, transfer);
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
