import { Kind, parse, print } from 'graphql';
import type { DocumentNode, FieldNode, FragmentDefinitionNode, OperationDefinitionNode, SelectionSetNode } from 'graphql';

/** A parsed document with its types. A `TypedDocumentNode` of graphql-codegen or gql.tada is one. */
export interface TypedDocument<Data, Variables> extends DocumentNode {
  __apiType?: ((variables: Variables) => Data) | undefined;
}

/** The text of a document with its types. A `TypedDocumentString` of graphql-codegen is one, and a plain string too. */
export interface TypedText<Data, Variables> extends String {
  __apiType?: ((variables: Variables) => Data) | undefined;
}

export type Document<Data, Variables> = TypedDocument<Data, Variables> | TypedText<Data, Variables>;

/** The variables of a document: an argument that may be omitted when no variable is required. */
export type VariablesOf<Variables> = {} extends Variables ? [variables?: Variables] : [variables: Variables];

/** What is sent of a document. */
export interface Operation {
  readonly query: string;
  readonly operationName: string | undefined;
}

/** A subscription, and where its cursor is. */
export interface Plan extends Operation {
  /** The variable that takes the cursor; undefined when the subscription cannot resume. */
  readonly after: string | undefined;
  /** Returns the cursor of an item. */
  cursorOf(data: unknown): string | undefined;
}

const CURSOR = 'cursor';
const AFTER = 'after';
const CURSOR_TYPE = 'EventCursor';

const operations = new WeakMap<DocumentNode, Operation>();
const plans = new WeakMap<DocumentNode, Plan>();

/** Returns the text to send of a query or mutation. */
export function operationOf(document: Document<unknown, never>): Operation {
  if (!isNode(document)) return { query: String(document), operationName: undefined };
  let known = operations.get(document);
  if (!known) operations.set(document, (known = { query: print(document), operationName: soleOperation(document).name?.value }));
  return known;
}

/**
 * Returns the plan of a subscription. It can resume when its field selects `cursor`. The argument
 * `after` is added when the document does not have it.
 */
export function planOf(document: Document<unknown, never>): Plan {
  if (!isNode(document)) return plan(parse(String(document)));
  let known = plans.get(document);
  if (!known) plans.set(document, (known = plan(document)));
  return known;
}

function isNode(document: Document<unknown, never>): document is TypedDocument<unknown, never> {
  return typeof document === 'object' && 'kind' in document;
}

function soleOperation(document: DocumentNode): OperationDefinitionNode {
  const [operation, second] = document.definitions.filter((d) => d.kind === Kind.OPERATION_DEFINITION);
  if (!operation || second) throw new TypeError('The document must have exactly one operation.');
  return operation;
}

function plan(document: DocumentNode): Plan {
  const operation = soleOperation(document);
  if (operation.operation !== 'subscription') throw new TypeError('The document must be a subscription.');
  const field = operation.selectionSet.selections.find((s) => s.kind === Kind.FIELD);
  const cursor = field?.selectionSet && cursorIn(field.selectionSet, document);
  const operationName = operation.name?.value;
  if (!field || !cursor) return { query: print(document), operationName, after: undefined, cursorOf: () => undefined };
  const [resumable, after] = withAfter(document, operation, field);
  const root = keyOf(field);
  const key = keyOf(cursor);
  return {
    query: print(resumable),
    operationName,
    after,
    cursorOf: (data) => {
      const found = (data as Record<string, Record<string, unknown> | null | undefined>)[root]?.[key];
      return typeof found === 'string' ? found : undefined;
    },
  };
}

function keyOf(field: FieldNode): string {
  return (field.alias ?? field.name).value;
}

function cursorIn(set: SelectionSetNode, document: DocumentNode): FieldNode | undefined {
  for (const s of set.selections) {
    let found: FieldNode | undefined;
    if (s.kind === Kind.FIELD) found = s.name.value === CURSOR ? s : undefined;
    else if (s.kind === Kind.INLINE_FRAGMENT) found = cursorIn(s.selectionSet, document);
    else {
      const fragment = document.definitions.find(
        (d): d is FragmentDefinitionNode => d.kind === Kind.FRAGMENT_DEFINITION && d.name.value === s.name.value,
      );
      found = fragment && cursorIn(fragment.selectionSet, document);
    }
    if (found) return found;
  }
  return undefined;
}

/** Returns the document with a variable for the argument `after`, and the name of the variable. */
function withAfter(document: DocumentNode, operation: OperationDefinitionNode, field: FieldNode): [DocumentNode, string] {
  const given = field.arguments?.find((a) => a.name.value === AFTER)?.value;
  if (given?.kind === Kind.VARIABLE) return [document, given.name.value];
  if (given) throw new TypeError(`The argument "${AFTER}" must be a variable, because it changes with every reconnect.`);
  if (operation.variableDefinitions?.some((v) => v.variable.name.value === AFTER))
    throw new TypeError(`The variable "$${AFTER}" must be used for the argument "${AFTER}".`);
  const name = (value: string) => ({ kind: Kind.NAME, value }) as const;
  const variable = { kind: Kind.VARIABLE, name: name(AFTER) } as const;
  const resumable: FieldNode = {
    ...field,
    arguments: [...(field.arguments ?? []), { kind: Kind.ARGUMENT, name: name(AFTER), value: variable }],
  };
  const changed: OperationDefinitionNode = {
    ...operation,
    variableDefinitions: [
      ...(operation.variableDefinitions ?? []),
      { kind: Kind.VARIABLE_DEFINITION, variable, type: { kind: Kind.NAMED_TYPE, name: name(CURSOR_TYPE) } },
    ],
    selectionSet: {
      ...operation.selectionSet,
      selections: operation.selectionSet.selections.map((s) => (s === field ? resumable : s)),
    },
  };
  return [{ ...document, definitions: document.definitions.map((d) => (d === operation ? changed : d)) }, AFTER];
}
