import type { CodegenConfig } from '@graphql-codegen/cli';

export default {
  // In a project of your own: the address of a server, such as http://127.0.0.1:8080/schema.graphql.
  schema: '../../graph/schema/*.graphqls',
  documents: 'src/**/*.{ts,tsx}',
  generates: {
    './src/gql/': {
      preset: 'client',
      presetConfig: { fragmentMasking: false },
      config: {
        enumsAsTypes: true,
        useTypeImports: true,
        strictScalars: true,
        scalars: { ID: 'string', DateTime: 'string', EmailAddress: 'string', EventCursor: 'string', PermissionKey: 'string' },
      },
    },
  },
} satisfies CodegenConfig;
