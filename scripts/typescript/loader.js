/**
 * Runs TypeScript without checking it: `node --import ./scripts/typescript/loader.js FILE.ts`. The tests use it in place of
 * tap's own loader, which brings the whole compiler into each process and compiles every file anew: 2 s of a core a file.
 */
import { register } from 'node:module'

register('./hooks.js', import.meta.url)
