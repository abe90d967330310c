/** The hooks of loader.js: a .js that is not there is the .ts beside it, and types are stripped by esbuild, once per text. */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const cache = new URL('../../node_modules/.cache/typescript/', import.meta.url)
const domain = new URL('./domain.js', import.meta.url).href
const compilerOptions = { verbatimModuleSyntax: true, useDefineForClassFields: true }

/** @type {import('node:module').ResolveHook} */
export async function resolve(specifier, context, nextResolve) {
  if (specifier === 'async-hook-domain') return { url: domain, format: 'module', shortCircuit: true }
  const isPath = /^(\.|\/|file:)/.test(specifier) && !context.parentURL?.includes('/node_modules/')
  if (!isPath) return nextResolve(specifier, context)
  const url = new URL(specifier, context.parentURL)
  if (url.pathname.endsWith('.js') && !existsSync(url)) url.pathname = `${url.pathname.slice(0, -3)}.ts`
  if (!url.pathname.endsWith('.ts')) return nextResolve(specifier, context)
  return { url: url.href, format: 'module', shortCircuit: true }
}

/** @type {import('node:module').LoadHook} */
export async function load(url, context, nextLoad) {
  if (!url.startsWith('file:') || !new URL(url).pathname.endsWith('.ts')) return nextLoad(url, context)
  return { format: 'module', source: await compile(fileURLToPath(url)), shortCircuit: true }
}

/** @param {string} path @returns {Promise<string>} */
async function compile(path) {
  const text = readFileSync(path)
  const cached = new URL(`${createHash('sha1').update(path).digest('hex')}.js`, cache)
  const mark = `\n//${createHash('sha1').update(text).digest('hex')}\n`
  try {
    const known = readFileSync(cached, 'utf8')
    if (known.endsWith(mark)) return known
  } catch {
    // Not compiled yet.
  }
  const { transform } = await import('esbuild')
  const options = {
    loader: 'ts',
    target: 'node20',
    sourcemap: 'inline',
    sourcefile: path,
    tsconfigRaw: { compilerOptions },
  }
  const { code } = await transform(text, options)
  keep(cached, code + mark)
  return code
}

/** A cache that cannot be written only costs time. Renamed into place: other processes read it meanwhile. */
function keep(file, code) {
  const made = `${fileURLToPath(file)}.${process.pid}`
  try {
    mkdirSync(cache, { recursive: true })
    writeFileSync(made, code)
    renameSync(made, file)
  } catch {
    // Another user's checkout.
  }
}
