/** SQLite relies on fcntl locks, on fsync in order, on shared memory maps (WAL) and on truncating its journal. */
import t, { type Test } from 'tap'
import { userToTest } from '../helpers/user.js'
import { onOneMount, onServedMount, type Vault } from '../helpers/vault.js'

interface Work {
  rows: number
  /** Of each writer. */
  writes: number
}

const MUCH: Work = { rows: 5000, writes: 50 }

const sql = (vault: Vault, ...statements: string[]): Promise<string> =>
  vault.run('sqlite3', ['-bail', '-cmd', '.timeout 20000', 'data.db'], { input: statements.join('\n') })

const fourWriters =
  (mode: 'wal' | 'delete' | 'truncate', { rows, writes } = MUCH) =>
  async (t: Test, vault: Vault): Promise<void> => {
    const [answer] = (
      await sql(vault, `pragma journal_mode=${mode};`, 'create table t(k integer, w integer, v blob);')
    ).split('\n')
    t.equal(answer, mode)
    await sql(
      vault,
      'begin;',
      `with recursive n(i) as (select 1 union all select i+1 from n where i < ${rows})`,
      'insert into t select i, 0, randomblob(200) from n;',
      'commit;',
    )
    const writer = (w: number): Promise<string> =>
      sql(
        vault,
        ...Array.from(
          { length: writes },
          (_, k) => `begin immediate; insert into t values(${k}, ${w}, zeroblob(999)); commit;`,
        ),
      )
    await Promise.all([1, 2, 3, 4].map(writer))
    await sql(vault, 'create index i on t(w, k);', 'delete from t where w = 0 and k % 3 = 0;', 'vacuum;')
    await vault.remount()
    t.equal(await sql(vault, 'pragma integrity_check;'), 'ok\n')
    t.equal(await sql(vault, 'select count(*) from t where w > 0;'), `${4 * writes}\n`, 'no writer lost a row')
    t.equal(await sql(vault, 'select count(*) from t where w = 0;'), `${rows - Math.floor(rows / 3)}\n`)
  }

const bodies = {
  'sqlite3 with a write-ahead log: four writers at once, integrity_check': fourWriters('wal'),
  'sqlite3 with a rollback journal: four writers at once, integrity_check': fourWriters('delete'),
  'sqlite3 with a truncated journal: four writers at once, integrity_check': fourWriters('truncate'),
}
onOneMount(t, bodies, userToTest())

// Its locks are the server's.
onServedMount(
  t,
  'sqlite3: four writers at once, integrity_check',
  ['--recovery-mode', 'sync'],
  fourWriters('delete', { rows: 500, writes: 10 }),
)
