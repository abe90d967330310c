/**
 * What we use of Standard Schema (https://standardschema.dev, version 1), which the well-known schema libraries implement:
 * any of theirs can say what the fields of a type are.
 */
export interface StandardSchema<Output> {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>
  }
}

export type SchemaResult<Output> =
  { readonly value: Output; readonly issues?: undefined } | { readonly issues: readonly SchemaIssue[] }

export interface SchemaIssue {
  readonly message: string
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
}

/** Fields of a TypeScript type that are not checked when the program runs. */
export function plain<T extends object>(): StandardSchema<T> {
  return {
    '~standard': {
      version: 1,
      vendor: 'atefs',
      // Nothing is known of it but what the caller says.
      validate: (value) => ({ value: value as T }),
    },
  }
}
