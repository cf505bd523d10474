// graphql-eslint's recommended and Relay rules for schemas. Each exception has its reason.
import graphql from "@graphql-eslint/eslint-plugin";

export default [
  {
    files: ["schema.graphql"],
    plugins: { "@graphql-eslint": graphql },
    languageOptions: { parser: graphql.parser, parserOptions: { graphQLConfig: { schema: "schema.graphql" } } },
    rules: {
      ...graphql.configs["flat/schema-recommended"].rules,
      ...graphql.configs["flat/schema-relay"].rules,

      // The specification of Relay's connections asks that edges wrap nodes. It does not forbid lists
      // outside of connections: a member's roles and a payload's errors are short and have no pages.
      "@graphql-eslint/relay-edge-types": ["error", { withEdgeSuffix: true, shouldImplementNode: true, listTypeCanWrapOnlyEdgeType: false }],

      // Person.personStatus cannot be called status: Member.status and Invitation.status are of other types,
      // and a selection of both would conflict. The rule has no option for a single field.
      "@graphql-eslint/no-typename-prefix": "off",

      // These types have no id of their own: a client reads them as a part of the object, page or
      // result that has them. A permission is known by its key; there is one viewer, and one server.
      "@graphql-eslint/strict-id-in-types": [
        "error",
        {
          exceptions: {
            suffixes: ["Change", "Connection", "Edge", "Payload", "Result"],
            types: [
              "AccessDecision",
              "AccountLimits",
              "AccountSettings",
              "Delivery",
              "Grant",
              "InvitationPreview",
              "PageInfo",
              "PeopleCounts",
              "Permission",
              "PermissionGroup",
              "ServerInfo",
              "SystemActor",
              "UserError",
              "Viewer",
            ],
          },
        },
      ],
    },
  },
];
