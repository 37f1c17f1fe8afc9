/** List arguments whose elements a tool makes objects of. */

import { ToolError } from "../../../errors.ts";
import { type Model, validate } from "../../../python/pydantic.ts";
import { elements, typeName } from "../../../python/python_object.ts";
import type { JsonObject, JsonValue } from "../../../python/python_value.ts";

/** A list argument: objects of a model, or what came, where one of its elements is none. */
export type ObjectList =
  | { readonly objects: JsonObject[] }
  | { readonly raw: JsonValue };

/**
 * Makes objects of a model of all elements, or of none: one that is no dict leaves all as they are. What has no
 * elements becomes an empty list.
 * @throws {ToolError} If an element does not validate, or nothing can be iterated.
 */
export function objectList(model: Model, value: JsonValue): ObjectList {
  const objects = elements(value).filter((one) => one instanceof Map);
  return objects.length === elements(value).length
    ? { objects: objects.map((one) => validate(model, one)) }
    : { raw: value };
}

/** The list as it came or as it became. */
export function listValue(list: ObjectList): JsonValue {
  return "objects" in list ? list.objects : list.raw;
}

/** The objects, of which an attribute is read first. @throws {ToolError} As `AttributeError` if they are none. */
export function readObjects(
  list: ObjectList,
  attribute: string,
): readonly JsonObject[] {
  if ("objects" in list) return list.objects;
  throw new ToolError(
    `'${
      typeName(elements(list.raw)[0] ?? null)
    }' object has no attribute '${attribute}'`,
  );
}
