/**
 * `npm run example NAME`: runs examples/NAME.ts, which imports the package by its name (so it must be built: `npm ci` or
 * `npm run build`). Without a name it lists the examples, each with its first line.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import './typescript/loader.js'

const root = fileURLToPath(new URL('..', import.meta.url))
const folder = join(root, 'examples')
const names = readdirSync(folder)
  .filter((file) => file.endsWith('.ts'))
  .map((file) => basename(file, '.ts'))
  .sort()

/** What an example says of itself: the first sentence of its first comment. */
function summary(name) {
  const text = readFileSync(join(folder, `${name}.ts`), 'utf8')
  return /^\/\*\*[\s*]*([^.]*)/.exec(text)?.[1].replaceAll(/\s+\*\s+/g, ' ') ?? ''
}

function list() {
  return names.map((name) => `  ${name.padEnd(15)}${summary(name)}`).join('\n')
}

function stop(message) {
  process.stderr.write(`${message}\n`)
  process.exit(1)
}

const [name] = process.argv.slice(2)
if (name === undefined) process.stdout.write(`npm run example NAME, where NAME is one of:\n\n${list()}\n`)
else if (!names.includes(name)) stop(`There is no example ${name}. There are:\n\n${list()}`)
else if (!existsSync(join(root, 'dist/index.js'))) stop('The package is not built: run `npm run build` first.')
else await import(pathToFileURL(join(folder, `${name}.ts`)).href)
