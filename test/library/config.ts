/** What a configuration takes. */
import t from 'tap'
import { AteConfig } from '../../src/index.js'

t.test(
  'an option that there is none of is refused by its name, also in a program that no compiler has checked',
  (t) => {
    const config = AteConfig.default()
    for (const name of ['logpath', 'compactTimer', '__proto__x', 'toString'])
      t.throws(() => void Reflect.apply(config.with.bind(config), undefined, [{ passphrase: 'secret', [name]: 1 }]), {
        code: 'BAD_ARGUMENT',
        message: `There is no option ${name}.`,
      })
    t.strictSame(config.with({ logPath: 'chains', passphrase: 'secret' }).options.logPath, 'chains')
    t.end()
  },
)
