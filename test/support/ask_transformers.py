"""Tokenizes texts and conversations with Hugging Face transformers: JSON on stdin and stdout."""

import json
import re
import sys
import tempfile

from tokenizers import AddedToken
from transformers import PreTrainedTokenizerFast, Qwen2Tokenizer

# Replaces the first character of control tokens in the messages' text. A private-use character that no case contains.
WRITTEN = "\ue0f3"


class Reference:
    def __init__(self, directory):
        with open(f"{directory}/tokenizer.json", encoding="utf-8") as file:
            self.parts = json.load(file)
        with open(f"{directory}/tokenizer_config.json", encoding="utf-8") as file:
            self.config = json.load(file)
        self.fast = PreTrainedTokenizerFast(
            tokenizer_file=f"{directory}/tokenizer.json",
            eos_token=self.config["eos_token"],
            clean_up_tokenization_spaces=False,
        )
        self.added = {token["content"]: token for token in self.parts["added_tokens"]}
        self.plain = self.without_added_tokens()
        self.slow = self.slow_tokenizer()

    def without_added_tokens(self):
        with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as file:
            json.dump(self.parts | {"added_tokens": []}, file)
            file.flush()
            return PreTrainedTokenizerFast(tokenizer_file=file.name)

    def slow_tokenizer(self):
        """Returns the tokenizer that is implemented in Python."""
        model = self.parts["model"]
        with tempfile.TemporaryDirectory() as directory:
            with open(f"{directory}/vocab.json", "w", encoding="utf-8") as file:
                json.dump(model["vocab"], file)
            with open(f"{directory}/merges.txt", "w", encoding="utf-8") as file:
                file.write("#version: 0.2\n")
                file.writelines((m if isinstance(m, str) else " ".join(m)) + "\n" for m in model["merges"])
            decoder = {
                token["id"]: AddedToken(text, special=token["special"], normalized=False)
                for text, token in self.added.items()
            }
            return Qwen2Tokenizer(
                f"{directory}/vocab.json",
                f"{directory}/merges.txt",
                unk_token=None,
                bos_token=None,
                eos_token=self.config["eos_token"],
                pad_token=self.config["pad_token"],
                added_tokens_decoder=decoder,
            )

    def encode(self, text, tokenizer=None):
        return (tokenizer or self.fast)(text, add_special_tokens=False)["input_ids"]

    def render(self, case, messages, generate, tokenize):
        return self.fast.apply_chat_template(
            messages,
            tools=case["tools"],
            chat_template=case["template"],
            add_generation_prompt=generate,
            tokenize=tokenize,
            **case["variables"],
        )

    def guarded(self, case, messages, generate):
        """Returns the ids if control tokens in the messages' text are treated as text."""
        text = self.render(case, [self.written(message) for message in messages], generate, False)
        ids = []
        for piece in re.split("(" + "|".join(map(re.escape, self.added)) + ")", text):
            if piece in self.added:
                ids.append(self.added[piece]["id"])
            elif piece:
                ids += self.plain.backend_tokenizer.encode(piece.replace(WRITTEN, "<"), add_special_tokens=False).ids
        return ids

    def written(self, message):
        """Masks the tokens that the message's role may not write; an assistant may write those that are not special."""
        if message["role"] == "system":
            return message
        is_free = message["role"] == "assistant"
        tokens = [text for text, token in self.added.items() if token["special"] or not is_free]

        def mask(value):
            if isinstance(value, str):
                for token in tokens:
                    value = value.replace(token, WRITTEN + token[1:])
                return value
            if isinstance(value, list):
                return [mask(item) for item in value]
            if isinstance(value, dict):
                return {mask(key): mask(item) for key, item in value.items()}
            return value

        return mask(message)

    def answer(self, case):
        messages = [with_arguments(message) for message in case["messages"]]
        generate = messages[-1]["role"] != "assistant"
        text = self.render(case, messages, generate, False)
        ids = self.render(case, messages, generate, True)
        prompts = [i for i, message in enumerate(messages) if message["role"] == "assistant"]
        return {
            "text": text,
            "ids": ids,
            "slow": self.encode(text, self.slow) == ids,
            "guarded": self.guarded(case, messages, generate),
            "prompts": [self.guarded(case, messages[:i], True) for i in prompts] if case["prompts"] else [],
        }


def with_arguments(message):
    """Parses arguments, which come as text because JavaScript's JSON does not distinguish integers from floats."""
    if not message.get("tool_calls"):
        return message
    calls = []
    for call in message["tool_calls"]:
        function = call["function"]
        calls.append(call | {"function": function | {"arguments": json.loads(function["arguments"])}})
    return message | {"tool_calls": calls}


def main():
    cases = json.load(sys.stdin)
    reference = Reference(cases["directory"])
    answers = {
        "texts": [reference.encode(text) for text in cases["texts"]],
        "conversations": [reference.answer(case) for case in cases["conversations"]],
    }
    sys.stdout.write(json.dumps(answers))  # json.dump is thirty times slower


main()
