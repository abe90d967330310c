/**
 * The build: TypeScript to dist/, nothing left in dist/ whose source is gone (oclif would take a stale file for a
 * command), and oclif.manifest.json. Files are replaced in place, never removed first: a program that is running from
 * dist/ keeps working during a build.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freshManifest } from './manifest.js'

const root = fileURLToPath(new URL('..', import.meta.url))
const dist = join(root, 'dist')
const compiler = join(root, 'node_modules/typescript/bin/tsc')

const compiled = spawnSync(process.execPath, [compiler, '-p', 'tsconfig.build.json'], { cwd: root, stdio: 'inherit' })
if (compiled.status !== 0) process.exit(compiled.status ?? 1)

for (const entry of readdirSync(dist, { recursive: true, withFileTypes: true })) {
  const path = join(entry.parentPath, entry.name)
  const source = relative(dist, path).replace(/(\.d\.ts|\.js)(\.map)?$/, '.ts')
  if (entry.isFile() && source.endsWith('.ts') && !existsSync(join(root, 'src', source))) rmSync(path)
}

writeFileSync(join(root, 'oclif.manifest.json'), await freshManifest(root))
