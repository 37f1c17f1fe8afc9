/** Reads agent, model and world from a run's `config.yaml`, for any trainer and version; missing values are `null`. */

import { join } from "node:path";
import { Yaml } from "../../train/config/yaml_file.ts";
import { readTextIfThere } from "../../train/runs/storage.ts";

/** The parts of a config that the viewer shows. */
export interface ShownConfig {
  /** The text of the file. */
  readonly text: string | null;
  readonly agent: string | null;
  /** The model's name, or the policy being trained. */
  readonly model: string | null;
  /** The dataset's source and domain, e.g. `generated retail`. */
  readonly world: string | null;
}

/** Reads the config of a run. A damaged config is still shown as text. */
export async function readShownConfig(path: string): Promise<ShownConfig> {
  const name = join(path, "config.yaml");
  const text = await readTextIfThere(name) ?? null;
  const config = text === null ? {} : valueOf({ name, text });
  const model = sectionOf(config, "model");
  const data = sectionOf(config, "data");
  const world = [textIn(data, "source"), textIn(data, "domain")]
    .filter((part) => part !== null).join(" ");
  return {
    text,
    agent: textIn(config, "agent"),
    model: textIn(config, "policy") ?? textIn(model, "model") ??
      textIn(model, "name") ?? sizeOf(model),
    world: world === "" ? null : world,
  };
}

function valueOf(file: { name: string; text: string }): unknown {
  try {
    return new Yaml(file, "the config").value;
  } catch {
    return {};
  }
}

/** Returns a policy's size instead of a name, since a policy trained from scratch has no name. */
function sizeOf(model: Readonly<Record<string, unknown>>): string | null {
  const { layers, dim } = model;
  return typeof layers === "number" && typeof dim === "number"
    ? `own policy, ${layers} × ${dim}`
    : null;
}

function sectionOf(
  value: unknown,
  key: string,
): Readonly<Record<string, unknown>> {
  const section = recordOf(value)[key];
  return recordOf(section);
}

function textIn(value: unknown, key: string): string | null {
  const text = recordOf(value)[key];
  return typeof text === "string" && text !== "" ? text : null;
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}
