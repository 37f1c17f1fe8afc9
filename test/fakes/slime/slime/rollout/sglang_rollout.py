"""slime's flag of an aborted rollout: one state for the process, whatever the arguments."""


class GenerateState:
    _only = None

    def __new__(cls, args):
        if cls._only is None:
            cls._only = super().__new__(cls)
            cls._only.aborted = False
        return cls._only
