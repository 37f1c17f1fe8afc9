/**
 * Extracts tool schemas from the Python source of a toolkit class, based on the names, docstrings and signatures of its
 * methods.
 */

import { toPlain } from "../../../python/python_value.ts";
import type { ToolSchema } from "../../../types.ts";
import {
  bodyOf,
  type PythonModules,
} from "../../python_source/python_modules.ts";
import {
  children,
  type Node,
  type PythonSource,
  textOf,
  unreadable,
} from "../../python_source/syntax_tree.ts";
import { docstringOf, parametersOf } from "./python_class.ts";
import { readToolDoc } from "./tool_docs.ts";
import {
  type Schema,
  sortedSchema,
  TypeSchemas,
  withTitle,
} from "./type_schema.ts";

/**
 * Reads the schemas of a file's tools, which are the methods decorated with `@is_tool`, in order.
 * @throws {DataError} If there are no tools, or an annotation or a default is not supported; the message names the
 * file.
 */
export async function readToolSchemas(
  modules: PythonModules,
  source: PythonSource,
): Promise<ToolSchema[]> {
  const schemas: ToolSchema[] = [];
  for (const definition of toolsIn(source)) {
    schemas.push(await schemaOf(modules, source, definition));
  }
  if (schemas.length > 0) return schemas;
  throw unreadable(source, source.root, "there are no methods with @is_tool");
}

function* toolsIn(source: PythonSource): Generator<Node> {
  for (const statement of children(source.root)) {
    if (statement.name !== "ClassDefinition") continue;
    for (const member of children(bodyOf(statement))) {
      if (member.name !== "DecoratedStatement") continue;
      const parts = children(member);
      const isTool = parts.some((part) =>
        part.name === "Decorator" && /^@is_tool\b/.test(textOf(source, part))
      );
      const method = parts.find(({ name }) => name === "FunctionDefinition");
      if (isTool && method !== undefined) yield method;
    }
  }
}

/**
 * Returns the tool schema of a function.
 * @throws {DataError} If an annotation or a default is not supported; the message names the file.
 */
export async function schemaOf(
  modules: PythonModules,
  source: PythonSource,
  definition: Node,
): Promise<ToolSchema> {
  const named = children(definition).find(({ name }) =>
    name === "VariableName"
  );
  const name = named === undefined ? "" : textOf(source, named);
  const doc = readToolDoc(docstringOf(source, definition) ?? "");
  const types = new TypeSchemas(modules);
  const properties: Schema = {};
  const required: string[] = [];
  for (const parameter of parametersOf(source, definition)) {
    const { name, annotation, fallback } = parameter;
    const schema = await types.of(source, annotation || "Any");
    const description = doc.parameters.get(name);
    const extra = {
      ...description !== undefined && { description },
      ...fallback !== undefined &&
        { default: toPlain(await modules.value(source, fallback)) },
    };
    if (fallback === undefined) required.push(name);
    properties[name] = withTitle(schema, name, extra);
  }
  const parameters = sortedSchema({
    ...types.definitions.size > 0 &&
      { $defs: Object.fromEntries(types.definitions) },
    properties,
    ...required.length > 0 && { required },
    title: "parameters",
    type: "object",
  }) as ToolSchema["function"]["parameters"];
  return {
    type: "function",
    function: { name, description: doc.description || name, parameters },
  };
}
