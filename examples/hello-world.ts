/**
 * Stores an object and loads it again.
 *
 *     npm run example hello-world
 */
import { AteConfig, ChainBuilder, dataType, plain } from 'atefs'

// A type has a name, which is stored with every object of it, and fields. `plain` only tells TypeScript what they are; a
// schema library would check them too.
const World = dataType('World', plain<{ commandment: string }>())

// A chain holds objects. This one lives in memory; with a `logPath` it would lie on the disk. `await using` closes it at
// the end.
await using chain = await new ChainBuilder(AteConfig.default()).open('universe')

// Changes are made in a transaction. Nobody sees them before the commit.
const dio = chain.dioMut()
const stored = dio.store({ commandment: 'Hello' }, { type: World })
await dio.commit()

// Every object has a key, which finds it again.
const world = await chain.dio().load(World, stored.key)
console.log(`${world.commandment} world!`)
