/** Finding objects by a field: every value of an indexed field has a place, where the keys of the objects that have it lie. */
import type { CryptoProvider } from '../crypto/provider.js'
import { AteError } from '../error.js'
import type { DataType, IndexedValue } from './data-type.js'
import { hashTexts } from './numbers.js'

export function indexPlace(crypto: CryptoProvider, type: DataType, field: string, value: IndexedValue): number {
  return hashTexts(crypto, type.name, field, typeof value, String(value))
}

/** The places of an object's indexed fields; a field without a value has none. BAD_ARGUMENT for other values. */
export function indexPlaces(crypto: CryptoProvider, type: DataType, fields: object): number[] {
  const places: number[] = []
  for (const field of type.options.index) {
    const value: unknown = Reflect.get(fields, field)
    if (value === undefined || value === null) continue
    if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean')
      throw new AteError('BAD_ARGUMENT', `The indexed field ${field} of ${type.name} is no text, number or boolean.`)
    places.push(indexPlace(crypto, type, field, value))
  }
  return places
}
