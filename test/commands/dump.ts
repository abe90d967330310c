/** `atefs dump` through the program: chains of objects that a program made, and of files. */
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import {
  AteConfig,
  AteSession,
  ChainBuilder,
  dataType,
  generateReadKey,
  generateWriteKey,
  mapOf,
  plain,
  readBy,
  vecOf,
  weakTo,
  writeBy,
} from '../../src/index.js'
import { decodePlainKey } from '../../src/engine/keyring/plain-key.js'
import { cliWorld, type CliWorld, shell } from '../helpers/cli.js'

const Page = dataType('Page', plain<{ text: string }>())
const Person = dataType('Person', plain<{ name: string }>())
const Diary = dataType('Diary', plain<{ title: string }>(), {
  links: { pages: vecOf(Page), people: mapOf(Person), of: weakTo(Person) },
})

function configIn(world: CliWorld): AteConfig {
  return AteConfig.default().with({ logPath: world.path('chains'), anchorPath: world.path('state/atefs/anchors') })
}

interface Keys {
  diary: string
  page: string
  ann: string
}

/** A diary with a page of two versions and a person, and something that is sealed for a key. */
async function makeDiary(world: CliWorld, config: AteConfig): Promise<Keys> {
  const [reader, writer] = [generateReadKey(), generateWriteKey()]
  const chain = await new ChainBuilder(config).open('diary')
  const dio = chain.dioMut(new AteSession({ readKeys: [reader], writeKeys: [writer] }))
  const diary = dio.store({ title: 'the title' }, { type: Diary })
  const page = diary.pages.push({ text: 'first text' })
  diary.people.set('an\nn', { name: 'Ann' })
  const ann = dio.store({ name: 'Ann of old' }, { type: Person })
  diary.of.set(ann)
  dio.protect(ann, { read: readBy.only(reader), write: writeBy.only(writer) })
  await dio.commit()
  await chain.transact(async (next) => void ((await next.load(Page, page.key)).text = 'second text'))
  await chain.close()
  writeFileSync(world.path('keys'), JSON.stringify({ reader: reader.id, writer: writer.id }))
  return { diary: diary.key, page: page.key, ann: ann.key }
}

/** Nothing of what is secret in the chain: fields, and the key beside it. */
function tellsNothingSecret(t: Test, world: CliWorld, shown: string): void {
  for (const text of ['the title', 'first text', 'second text', 'Ann of old']) t.notMatch(shown, text)
  const { rootKey } = decodePlainKey(readFileSync(world.path('chains/diary/key')))
  for (let at = 0; at + 8 <= rootKey.length; at++)
    t.notOk(shown.includes(Buffer.from(rootKey.subarray(at, at + 8)).toString('hex')), 'no piece of the key')
}

t.test('a chain of objects is shown as a tree of keys, types, versions and rules', async (t) => {
  const world = cliWorld(t)
  const { diary, page, ann } = await makeDiary(world, configIn(world))
  const ids = JSON.parse(readFileSync(world.path('keys'), 'utf8')) as { reader: string; writer: string }
  const text = await world.run(['dump', 'diary', '--log-path', world.path('chains'), '--batches'])
  t.equal(text.code, 0, text.stderr)
  t.match(text.stdout, /^diary: a chain of objects, aes-256-gcm, trust local$/m)
  t.match(text.stdout, new RegExp(`^Diary ${diary}  version 1  \\d+ bytes  .*of -> ${ann}$`, 'm'))
  t.match(text.stdout, new RegExp(`^  pages: Page ${page}  version 2  \\d+ bytes`, 'm'))
  t.match(text.stdout, /^ {2}people: "an\?n" Person /m, 'a name moves no cursor')
  const rules = `read by ${ids.reader.slice(0, 8)}  written by ${ids.writer.slice(0, 8)}  sealed`
  t.match(text.stdout, new RegExp(`^Person ${ann}  version 1 .*  ${rules}$`, 'm'))
  t.match(text.stdout, new RegExp(`^batch 1  .*(\\n  .*)*\\n  ${diary}  version 1`, 'm'))
  t.match(text.stdout, new RegExp(`^batch 2  .*\\n  ${page}  version 2`, 'm'))
  tellsNothingSecret(t, world, text.stdout)

  const json = await world.run(['dump', '--log-path', world.path('chains'), '--batches', '--json'])
  t.equal(json.code, 0, json.stderr)
  tellsNothingSecret(t, world, json.stdout)
  const told = json.json()
  t.match(told, { chain: 'diary', holds: 'objects', trust: 'local', headSequence: 2, rootKeys: [] })
  const objects = told['objects'] as { key: string }[]
  t.equal(objects.length, 4)
  t.match(
    objects.find(({ key }) => key === page),
    { depth: 1, link: 'pages', parent: diary, type: 'Page', version: 2, read: 'inherit', write: 'inherit' },
  )
  t.match(
    objects.find(({ key }) => key === ann),
    { sealed: true, read: { readKeys: [ids.reader] }, write: { writeKeys: [ids.writer] } },
  )
  t.match(told['batches'], [{ sequence: 1 }, { sequence: 2, objects: [{ key: page, version: 2 }] }])
})

t.test('in distributed trust the keys that signed each batch are told', async (t) => {
  const world = cliWorld(t)
  const [root, other] = [generateWriteKey(), generateWriteKey()]
  const config = configIn(world).with({ trust: 'distributed', rootKeys: [root] })
  const chain = await new ChainBuilder(config).open('ledger')
  const session = new AteSession({ writeKeys: [root] })
  const page = await chain.transact(
    (dio) => {
      const page = dio.store({ text: 'of the other' }, { type: Page })
      dio.protect(page, { write: writeBy.only(other) })
      return page
    },
    { session },
  )
  await chain.transact(async (dio) => void ((await dio.load(Page, page.key)).text = 'changed'), {
    session: new AteSession({ writeKeys: [other] }),
  })
  await chain.close()
  const dumped = await world.run(['dump', '--log-path', world.path('chains'), '--batches', '--json'])
  t.equal(dumped.code, 0, dumped.stderr)
  const told = dumped.json()
  t.match(told, { trust: 'distributed', rootKeys: [root.id] })
  t.match(told['batches'], [{ signers: [] }, { signers: [root.id] }, { signers: [other.id] }])
  t.same(new Set((told['publicKeys'] as { id: string }[]).map(({ id }) => id)), new Set([root.id, other.id]))
  t.match(
    (await world.run(['dump', '--log-path', world.path('chains'), '--batches'])).stdout,
    `signed by ${root.id.slice(0, 8)}`,
  )
})

t.test('a chain of files is shown as paths', async (t) => {
  const world = cliWorld(t)
  const vault = world.path('vault')
  t.equal((await world.run(['mount', vault], { input: 'horse' })).code, 0)
  await shell(
    `cd ${vault}; mkdir -m 750 d; head -c 200000 /dev/urandom > d/large; ln -s large d/link; touch 'new\nline'; ln d/large d/two`,
  )
  t.equal((await world.run(['dump', 'vault'], { input: 'horse' })).code, 11, 'not while it is mounted')
  t.equal((await world.run(['umount', vault])).code, 0)

  t.equal((await world.run(['dump'], { input: 'hors' })).code, 12)
  const text = await world.run(['dump', '--batches'], { input: 'horse' })
  t.equal(text.code, 0, text.stderr)
  t.match(text.stdout, /^vault: a chain of files/m)
  t.match(text.stdout, /^ {2}d\/ {2}0750 \d+:\d+ /m)
  t.match(text.stdout, /^ {4}large {2}0644 \d+:\d+ {2}200000 bytes {2}.*inode \d+ {2}2 links {2}in 4 bodies$/m)
  t.match(text.stdout, /^ {4}link -> large {2}link /m)
  t.match(text.stdout, /^ {2}new\\x0aline {2}/m)
  t.match(text.stdout, /^batch 1 /m)
  const json = (await world.run(['dump', '--json'], { input: 'horse' })).json()
  const files = json['files'] as { path: string }[]
  t.match(
    files.find(({ path }) => path === '/d/large'),
    { depth: 2, type: 'file', mode: '0644', size: 200000, links: 2, bodies: [Number, Number, Number, Number] },
  )
  t.notOk('batches' in json)
})

t.test('with --json what fails in the middle is a part of the document', async (t) => {
  const world = cliWorld(t)
  await makeDiary(world, configIn(world))
  const directory = world.path('chains/diary')
  const [first = ''] = readdirSync(directory).filter((name) => name.endsWith('.seg'))
  const path = join(directory, first)
  const bytes = readFileSync(path)
  // Behind the header of the first batch: the index knows all of it and needs not look.
  bytes[700] = (bytes[700] ?? 0) ^ 1
  writeFileSync(path, bytes)
  const dumped = await world.run(['dump', '--log-path', world.path('chains'), '--batches', '--json'])
  t.equal(dumped.code, 26, dumped.stdout)
  t.match(dumped.json(), { chain: 'diary', objects: Array, error: { code: 'CHAIN_DAMAGED', exitCode: 26 } })
})

t.test('a server that is not there, and what is no chain, is told', async (t) => {
  const world = cliWorld(t)
  const remote = await world.run(['dump', 'ws://127.0.0.1:1/db/notes', '--json'])
  t.match(remote.json(), { error: { code: 'CONNECTION_FAILED' } })
  t.equal((await world.run(['dump', 'none'])).code, 6)
})
