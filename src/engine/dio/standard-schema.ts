/**
 * What we use of Standard Schema (https://standardschema.dev, version 1), which the well-known schema libraries implement:
 * any of theirs can say what the fields of a type are: `Output`, and what they may be made of: `Input`.
 */
export interface StandardSchema<Input, Output = Input> {
  /** What the interface asks for: `validate` gives the value, or what is wrong with it. It must not be asynchronous. */
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    /** For TypeScript only. */
    readonly types?: { readonly input: Input; readonly output: Output } | undefined
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>
  }
}

/** The value that a schema takes, or what is wrong with it. */
export type SchemaResult<Output> =
  { readonly value: Output; readonly issues?: undefined } | { readonly issues: readonly SchemaIssue[] }

/** One thing that is wrong. */
export interface SchemaIssue {
  /** For people. */
  readonly message: string
  /** Where: names of fields, from the outermost. */
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
