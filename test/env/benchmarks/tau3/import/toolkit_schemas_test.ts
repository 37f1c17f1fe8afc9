import assert from "node:assert/strict";
import { PythonModules } from "../../../../../env/benchmarks/python_source/python_modules.ts";
import {
  cleanDoc,
  readToolDoc,
} from "../../../../../env/benchmarks/tau3/import/tool_docs.ts";
import { readToolSchemas } from "../../../../../env/benchmarks/tau3/import/toolkit_schemas.ts";
import { DataError } from "../../../../../env/errors.ts";

const MODELS = `
from enum import Enum
from typing import Literal, Optional
from pydantic import BaseModel, ConfigDict, Field

Cabin = Literal["economy", "business"]

class Closed(BaseModel):
    model_config = ConfigDict(extra="forbid")

class Names(str, Enum):
    INTERNET = "internet"
    BROKEN = "broken"

class Settings(Closed):
    """What an access
    point is.
    """

    apn_name: Names = Field(Names.INTERNET, description="Its name.")
    url: Optional[str] = Field(None, description="Where.")
    # a comment
    port: int
    on: bool = False

    def is_on(self) -> bool:
        return self.on
`;

const TOOLS = `
from typing import Any, Dict, List, Optional, Union
from kit.models import Cabin, Settings as Settings
from kit.toolkit import ToolType, is_tool

class ShopTools(ToolKitBase):
    """Tools."""

    db: Any

    def _hidden(self) -> str:
        """Not a tool."""

    @is_tool(ToolType.WRITE)
    def buy(
        self,
        user_id: str,
        cabin: Cabin,
        items: List[str],
        settings: Union[Settings, dict],
        amount: float = 1.5,
        note: Optional[str] = None,
    ) -> Dict[str, Any]:
        """
        Buys something,
        perhaps.

        Checks:
            - one
        Args:
            user_id: Who: such as 'a'.
            cabin (Cabin): Where,
                and why.
            items: What.

        Returns:
            Nothing.
        """
        return {}

    # @is_tool(ToolType.THINK)
    # def think(self): ...

    @is_tool()
    def look(self) -> str:
        """Looks."""
        return ""
`;

function modulesOf(files: Readonly<Record<string, string>>): PythonModules {
  return new PythonModules({
    root: "/src",
    read: (path) => Promise.resolve(files[path]),
    calls: () => undefined,
  });
}

Deno.test("readToolSchemas() reads signatures, docstrings, models and enums as pydantic describes them", async () => {
  const modules = modulesOf({
    "/src/kit/models.py": MODELS,
    "/src/kit/tools.py": TOOLS,
  });
  const source = await modules.source("/src/kit/tools.py");
  const schemas = await readToolSchemas(modules, source);
  const text = { type: "string" };
  const expected = [{
    type: "function",
    function: {
      name: "buy",
      description: "Buys something,\n\nperhaps.\n\nChecks:\n    - one",
      parameters: {
        $defs: {
          Names: {
            enum: ["internet", "broken"],
            title: "Names",
            type: "string",
          },
          Settings: {
            additionalProperties: false,
            description: "What an access\npoint is.",
            properties: {
              apn_name: {
                $ref: "#/$defs/Names",
                default: "internet",
                description: "Its name.",
              },
              url: {
                anyOf: [text, { type: "null" }],
                default: null,
                description: "Where.",
                title: "Url",
              },
              port: { title: "Port", type: "integer" },
              on: { default: false, title: "On", type: "boolean" },
            },
            required: ["port"],
            title: "Settings",
            type: "object",
          },
        },
        properties: {
          user_id: {
            description: "Who: such as 'a'.",
            title: "User Id",
            ...text,
          },
          cabin: {
            description: "Where,\nand why.",
            enum: ["economy", "business"],
            title: "Cabin",
            ...text,
          },
          items: {
            description: "What.",
            items: text,
            title: "Items",
            type: "array",
          },
          settings: {
            anyOf: [
              { $ref: "#/$defs/Settings" },
              { additionalProperties: true, type: "object" },
            ],
            title: "Settings",
          },
          amount: { default: 1.5, title: "Amount", type: "number" },
          note: {
            anyOf: [text, { type: "null" }],
            default: null,
            title: "Note",
          },
        },
        required: ["user_id", "cabin", "items", "settings"],
        title: "parameters",
        type: "object",
      },
    },
  }, {
    type: "function",
    function: {
      name: "look",
      description: "Looks.",
      parameters: { properties: {}, title: "parameters", type: "object" },
    },
  }];
  assert.equal(JSON.stringify(schemas), JSON.stringify(expected));
});

Deno.test("readToolSchemas() names the position of an unknown type and reports a file without tools", async () => {
  const at = "/src/kit/tools.py";
  const wrong = [
    TOOLS.replace("List[str]", "Sequence[str]"),
    TOOLS.replace("Cabin,\n", "Unknown,\n"),
    "class Empty:\n    pass\n",
  ];
  for (const text of wrong) {
    const modules = modulesOf({ "/src/kit/models.py": MODELS, [at]: text });
    const source = await modules.source(at);
    await assert.rejects(
      readToolSchemas(modules, source),
      (error) => error instanceof DataError && error.path === at,
    );
  }
});

Deno.test("readToolDoc() ends the description at the first section", () => {
  const { description, parameters } = readToolDoc("One.\nReturns:\n    x: y\n");
  assert.equal(description, "One.");
  assert.equal(parameters.size, 0);
  assert.equal(readToolDoc("").description, "");
});

Deno.test("cleanDoc() removes the common indentation and blank lines at both ends", () => {
  assert.equal(cleanDoc("  a\n    b\n\n      c\n  "), "a\nb\n\n  c");
  assert.equal(cleanDoc("\n\n"), "");
});
