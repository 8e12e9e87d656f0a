#!/usr/bin/env node
// The command `heddle`, from what was built.
import { main } from '../build/src/cli/main.js';

process.exitCode = await main(process.argv.slice(2));
