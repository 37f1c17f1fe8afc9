"""Renders templates for test/support/jinja2.ts with jinja2, in the environment that transformers makes for chat templates.

Reads [{"sources": [...], "contexts": [...]}, ...] and writes the result of each source in each context: its text, or
the kind of error. A source that cannot be compiled has the single result "syntax".
"""

import json
import sys

import jinja2
from jinja2.exceptions import SecurityError, TemplateSyntaxError, UndefinedError
from transformers.utils.chat_template_utils import _compile_jinja_template


def kind(error):
    if type(error) is jinja2.TemplateError:
        return "raised"
    if isinstance(error, (UndefinedError, SecurityError)):
        return "undefined"
    return "limit" if isinstance(error, (OverflowError, RecursionError)) else "type"


def answer(template, context):
    try:
        return {"text": template.render(**context)}
    except Exception as error:
        return {"error": kind(error), "message": str(error)}


def answers(source, contexts):
    try:
        template = _compile_jinja_template(source)
    except (TemplateSyntaxError, SyntaxError) as error:
        return [{"error": "syntax", "message": str(error)}] * len(contexts)
    return [answer(template, context) for context in contexts]


def main():
    groups = json.load(sys.stdin)
    results = [[answers(source, group["contexts"]) for source in group["sources"]] for group in groups]
    sys.stdout.write(json.dumps({"version": jinja2.__version__, "results": results}))


main()
