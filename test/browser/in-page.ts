// Entry of the page that tests and benchmarks open: makes the programs callable from outside.

import * as programs from './programs.ts';
import * as timed from './timed.ts';

Object.assign(globalThis, { programs, timed });
