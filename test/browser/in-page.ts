// Entry of the page that the tests open: makes the programs callable from outside.

import * as programs from './programs.ts';

Object.assign(globalThis, { programs });
