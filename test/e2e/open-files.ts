/** Files that change while others have them open: appended by four, unlinked, replaced, mapped by two. */
import { once } from 'node:events'
import t from 'tap'
import { compiledProgram } from '../helpers/compiled.js'
import { onOneMount } from '../helpers/vault.js'

const posix = compiledProgram('posix')

const pad = (number: number, digits: number): string => String(number).padStart(digits, '0')

onOneMount(t, {
  'four O_APPEND writers: every record is whole and in its writer’s order': async (t, vault) => {
    const count = 500
    await Promise.all(['a', 'b', 'c', 'd'].map((writer) => vault.run(posix, ['append', 'log', writer, String(count)])))
    await vault.remount()
    const lines = (await vault.run('cat', ['log'])).trimEnd().split('\n')
    t.equal(lines.length, 4 * count)
    for (const writer of ['a', 'b', 'c', 'd']) {
      const own = lines.filter((line) => line.startsWith(`${writer} `))
      const expected = Array.from({ length: count }, (_, i) => `${writer} ${pad(i, 6)} ${pad(i, 89)}`)
      t.strictSame(own, expected, `writer ${writer}`)
    }
  },

  'unlinked while open: it lives until it is closed, and leaves nothing': async (t, vault) => {
    for (let i = 0; i < 3; i++) t.equal(await vault.run(posix, ['unlinked', 'f']), '0 links, 4194304 bytes, no name\n')
    t.equal(await vault.run('find', ['.', '-mindepth', '1']), '')
    await vault.remount()
    t.equal(await vault.run('find', ['.', '-mindepth', '1']), '')
  },

  'a file being read is renamed over: the reader keeps what it opened': async (t, vault) => {
    await vault.shell('seq 1 20000 > file; seq 5 > other')
    const old = await vault.run('cat', ['file'])
    const reader = vault.start(posix, ['read-through', 'file'])
    const chunks: Buffer[] = []
    reader.stdout?.on('data', (bytes: Buffer) => chunks.push(bytes))
    if (reader.stdout !== null) await once(reader.stdout, 'data')
    await vault.run('mv', ['-f', 'other', 'file'])
    t.equal(await vault.run('cat', ['file']), '1\n2\n3\n4\n5\n')
    reader.stdin?.end('go\n')
    const [code] = (await once(reader, 'close')) as [number]
    t.equal(code, 0)
    t.equal(Buffer.concat(chunks).toString(), `open\n${old}`)
  },

  'shared maps: two processes see each other’s stores, read sees them, a remount too': async (t, vault) => {
    t.equal(await vault.run(posix, ['map-exchange', 'page', '200']), '400 400\n')
    const bytes = String(20 * 1024 * 1024)
    await vault.run(posix, ['map-write', 'pattern', bytes])
    t.equal(await vault.run(posix, ['map-check', 'pattern', bytes]), '0 wrong\n')
    await vault.remount()
    t.equal(await vault.run(posix, ['map-check', 'pattern', bytes]), '0 wrong\n')
  },

  'a sparse file beyond 4 GiB takes the space of its data only': async (t, vault) => {
    const places = [0, 4294967290, 4294967296, 7_000_000_000_000]
    for (const place of places) {
      await vault.run(
        'dd',
        ['of=sparse', 'bs=64k', 'conv=notrunc', 'oflag=seek_bytes', `seek=${place}`, 'status=none'],
        {
          input: `data at ${place}`,
        },
      )
    }
    const read = (place: number): Promise<string> =>
      vault.run('dd', ['if=sparse', 'bs=64', 'count=1', 'iflag=skip_bytes', `skip=${place}`, 'status=none'])
    for (const round of ['before', 'after']) {
      t.match(await read(7_000_000_000_000), /^data at 7000000000000$/, `${round} the remount`)
      t.match(await read(4294967296), /^data at 4294967296\0+$/)
      t.match(await read(4294967290), /^data adata at/)
      t.match(await read(5_000_000_000), /^\0{64}$/)
      t.equal(await vault.shell('stat -c %s sparse'), '7000000000021\n')
      const kib = Number((await vault.shell('du -k sparse')).split('\t')[0])
      t.ok(kib <= 1024, `${kib} KiB on the disk`)
      if (round === 'before') await vault.remount()
    }
  },
})
