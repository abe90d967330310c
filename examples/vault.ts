/**
 * A chain on the disk, sealed with a passphrase, opened again later.
 *
 *     npm run example vault
 */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AteConfig, ChainBuilder, dataType, errorCode, plain } from 'atefs'

const Secret = dataType('Secret', plain<{ site: string; password: string }>(), { index: ['site'] })

// A directory of chains: each lies in a directory of its own name there.
const logPath = await mkdtemp(join(tmpdir(), 'atefs-example-'))
const config = AteConfig.default().with({ logPath, passphrase: 'correct horse battery staple' })

// The first opening makes the chain. The block closes it: everything is on the disk then.
{
  await using vault = await new ChainBuilder(config).open('vault')
  await vault.transact((dio) => {
    dio.store({ site: 'example.org', password: 'hunter2' }, { type: Secret })
    dio.store({ site: 'example.com', password: 'swordfish' }, { type: Secret })
  })
  console.log('two secrets stored')
}

// The second finds everything there. `find` goes by a field that the type has an index of.
{
  await using vault = await new ChainBuilder(config).open('vault')
  for await (const { site, password } of vault.dio().find(Secret, 'site', 'example.org'))
    console.log(`${site}: ${password}`)
}

// Without the passphrase there is no way in,
try {
  await new ChainBuilder(config.with({ passphrase: 'a guess' })).open('vault')
} catch (error) {
  console.log(`with another passphrase: ${errorCode(error)}`)
}

// and nothing to be found in the files.
let isReadable = false
for (const file of await readdir(join(logPath, 'vault'), { recursive: true, withFileTypes: true }))
  if (file.isFile()) isReadable ||= (await readFile(join(file.parentPath, file.name))).includes('hunter2')
console.log(`the password can be read from the files: ${isReadable ? 'yes' : 'no'}`)

await rm(logPath, { recursive: true })
