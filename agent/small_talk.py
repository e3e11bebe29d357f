"""Asking back, and replies to what is no wish: greetings, thanks, what nobody here understands."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from agent.languages.tongue import spoken
from agent.plan import Act
from agent.privacy.port import without_marks
from agent.quick import examples
from agent.rules import cues
from agent.scene import Part, Scene
from agent.suggest import offers, question
from agent.wording import find, label, quoted, repeated, worded

_EXAMPLES = 3

_BYE = re.compile(r"\b(?:bye|goodbye|see you|see ya|good night)\b")
_POLITE = """ok okay k great nice cool perfect awesome good fine alright sweet brilliant lovely got
    it makes sense fair enough sounds yes yeah yep no sure well hm hmm oh ah wow i see very so
    that s is really lol haha"""
_COURTESIES = frozenset(_POLITE.split())


def ask_back(scene: Scene, wanted: str = "") -> Iterator[Part]:
    """Ask for a facet, else for what narrows the matching items best."""
    facet = find(scene.retriever.facets, wanted)
    if facet is not None and facet.values:
        values = [worded(facet, value, 30, scene.tongue) for value, _ in facet.values[:4]]
        name = label(facet, wanted, scene.tongue)
        text = scene.say("ask.which", facet=name, options=scene.listed(values, "or"))
        yield Part(text, asked=facet.name)
        return
    found = next_question(scene)
    yield Part(found[0], asked=found[1]) if found else Part(scene.say("ask.open"))


def next_question(scene: Scene) -> tuple[str, str] | None:
    """Return the question that narrows the matching items best, and the facet it is about."""
    state = scene.state
    return question(scene.retriever, state.need, state.asked, state.turn, scene.tongue)


def chitchat(scene: Scene, act: Act) -> Iterator[Part]:
    """Answer small talk; what is not understood is told to be, with what would be."""
    said = (scene.plan.carried or scene.plan.utterance).casefold()
    if any(mention.kind == "absent" for mention in scene.plan.mentions):
        yield from ask_back(scene)  # what they want is told to be unknown here: ask on
        return
    if not any(c.isalnum() for c in without_marks(said)):
        key = "reply.no_content" if without_marks(said) == said else "reply.personal"
    elif _foreign(said):
        yield _not_understood(scene)
        return
    elif cues.said(said, "acts", "recap"):
        yield _recap(scene)
        return
    elif _BYE.search(said):
        key = "reply.bye"
    elif "thank" in said or "cheers" in said:
        key = "reply.thanks"
    elif any(said.startswith(word) for word in ("hi", "hello", "hey", "good ")):
        key = "reply.hello"
    elif scene.before.slate and scene.plan.planner == "rules" and not _is_courtesy(said):
        key = "reply.lost"
    else:
        key = "reply.chitchat"
    have = offers(scene.retriever, scene.tongue)
    yield Part(scene.say(key, offers=have or scene.say("reply.anything")))


def _recap(scene: Scene) -> Part:
    """Tell what is looked for, hard wishes and soft ones."""
    need = scene.state.need
    wishes = [scene.wish(one) for one in need.constraints]
    wishes += [scene.say("wishes.ideally", wish=repeated(one.words or one.text, 40))
               for one in need.preferences if one.text]  # fmt: skip
    if not wishes:
        return Part(scene.say("reply.recap_none"))
    return Part(scene.say("reply.recap", wishes=scene.listed(wishes, "wishes")))


def _is_courtesy(said: str) -> bool:
    """Return whether little is said, and all of it politeness: "ok great"."""
    return all(word in _COURTESIES for word in re.findall(r"\w+", said))


def _not_understood(scene: Scene) -> Part:
    if not scene.plan.carried:
        names = [scene.say(f"languages.{code}") for code in spoken()]
        return Part(scene.say("reply.foreign", languages=scene.listed(names, "or")))
    said = [one.text for one in examples(scene.retriever, scene.tongue)[:_EXAMPLES]]
    if not said:
        return Part(scene.say("reply.not_understood"))
    return Part(scene.say("reply.not_understood_say", examples=quoted(said, scene.tongue)))


def _foreign(text: str) -> bool:
    """Return whether most letters of a text are not Latin."""
    letters = [c for c in text[:500] if c.isalpha()]
    latin = sum("LATIN" in unicodedata.name(c, "") for c in letters)
    return bool(letters) and latin < len(letters) / 2
