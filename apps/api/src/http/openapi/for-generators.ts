/** What generators of clients need otherwise than validators do; nothing of it changes which bodies are valid. */

type Node = Record<string, unknown>;

const isNode = (value: unknown): value is Node => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Of a schema, and not of an example that has a field with such a name. */
const isSchema = (node: Node): boolean => 'type' in node || 'anyOf' in node || 'oneOf' in node || '$ref' in node;

const shown = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

/**
 * Defaults are told in the description: generators take a field with a `default` for one that is always there (openapi-typescript 7 with
 * its default flags), and so a body that leaves it out would not compile.
 */
function withoutDefault(node: Node): Node {
  if (!('default' in node) || !isSchema(node)) return node;
  const { default: value, description, ...rest } = node;
  const isEmpty = isNode(value) && Object.keys(value).length === 0;
  const told = [description, ...(isEmpty ? [] : [`default: ${shown(value)}`])].filter((each) => each !== undefined);
  return told.length === 0 ? rest : { ...rest, description: told.join('; ') };
}

/** Data that callers send or receive stands under these names, and is no schema whatever it looks like. */
const DATA = new Set(['example', 'examples', 'enum', 'const']);

function mapped(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(mapped);
  if (!isNode(value)) return value;
  const entries = Object.entries(value).map(([name, each]) => [name, DATA.has(name) ? each : mapped(each)] as const);
  return withoutDefault(Object.fromEntries(entries));
}

/** Whether a text names a component. */
const names = (text: string, kind: string, name: string): boolean => text.includes(`"#/components/${kind}/${name}"`);

/** The same document as generators and linters want it. */
export function forGenerators(document: object): object {
  const made = mapped(document) as { components?: { examples?: Node } };
  const { examples = {} } = made.components ?? {};
  const text = JSON.stringify(made);
  const used = Object.fromEntries(Object.entries(examples).filter(([name]) => names(text, 'examples', name)));
  return { ...made, components: { ...made.components, examples: used } };
}
