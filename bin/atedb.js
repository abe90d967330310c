#!/usr/bin/env node
import { runAtedb } from '../dist/cli/atedb/program.js'

await runAtedb(process.argv.slice(2), import.meta.url)
