"""Says criteria in plain English, as heads with lists under them, in one line or as an outline.

What stands inside ``with`` is always the list at the end of the event that it belongs to.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import Final, assert_never

import msgspec

from simulator.language.criteria import (
    AgeCriterion,
    Anchor,
    Criterion,
    DateCriterion,
    EventCriterion,
    Events,
    Group,
    ObservedCriterion,
    Occurrence,
    Rule,
    SexCriterion,
)
from simulator.language.prose_words import (
    INDEX,
    Moment,
    age_in_words,
    count_in_words,
    dates_in_words,
    day_in_words,
    moment_of,
    noun,
    number,
    value_in_words,
    window_in_words,
)
from simulator.language.windows import Count, Window

WIDTH: Final = 80
_ONCE: Final = Count()


class Said(msgspec.Struct, frozen=True):
    """A sentence, and the list that belongs to its end."""

    head: str
    members: tuple[Said, ...] = ()

    def in_line(self) -> str:
        """All in one line; a list stands in parentheses."""
        if not self.members:
            return self.head
        return f"{self.head}: ({'; '.join(member.in_line() for member in self.members)})"

    def outline(self, indent: str, bullet: str = "") -> Iterator[str]:
        """Lines of at most 80 columns; a list is indented and has dashes."""
        colon = ":" if self.members else ""
        hanging = indent + " " * len(bullet)
        yield from lines_of(f"{bullet}{self.head}{colon}", indent, hanging)
        for member in self.members:
            yield from member.outline(f"{hanging}  " if not bullet else hanging, "- ")


def lines_of(text: str, indent: str, hanging: str | None = None) -> list[str]:
    """A text in lines of at most 80 columns, long words left whole."""
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=indent,
        subsequent_indent=indent if hanging is None else hanging,
        break_long_words=False,
        break_on_hyphens=False,
    )


def criterion_said(criterion: Criterion, moment: Moment = INDEX) -> Said:
    """A criterion at a moment, such as the index or the event that it stands inside."""
    match criterion:
        case EventCriterion():
            return _event(criterion, moment)
        case Group():
            return _group(criterion, moment)
        case SexCriterion(sex=sex):
            return Said(f"recorded as {sex}")
        case AgeCriterion(age=age):
            return Said(f"age at {moment.name}: {age_in_words(age)}")
        case DateCriterion(dates=dates):
            return Said(f"{moment.name} lies {dates_in_words(dates)}")
        case ObservedCriterion(window=window):
            return Said(_observed(window, moment))
        case _:
            assert_never(criterion)


def index_said(index: Events) -> Said:
    """The event from which time is counted, as ``each patient's first procedure ...``."""
    chosen = {
        Occurrence.FIRST: "each patient's first",
        Occurrence.LAST: "each patient's last",
        Occurrence.ANY: "one",
    }[index.occurrence]
    plain = index.occurrence is Occurrence.ANY
    return _with(f"{chosen} {_described(index, plural=False)}", index, plain=plain)


def line_said(events: Events) -> Said:
    """A kind of treatment."""
    plain = events.occurrence is Occurrence.ANY
    article = "a" if plain else f"the {events.occurrence}"
    return _with(f"{article} {_described(events, plural=False)}", events, plain=plain)


def moment_said(moment: EventCriterion) -> Said:
    """The day on which an outcome or an exit happens, as ``the earliest visit ...``."""
    events, when = moment.events, window_in_words(moment.window, INDEX)
    one = _described(events, plural=False)
    if events.occurrence is Occurrence.ANY:
        comma = "," if _is_qualified(events) else ""
        return _with(f"the earliest {one}{comma} {when}", events, plain=False)
    head = f"the {events.occurrence} {one}, where that lies {when}"
    return _with(head, events, plain=False)


def _described(events: Events, *, plural: bool) -> str:
    """The events with all that they themselves fit, but for what stands inside ``with``."""
    fits = []
    if events.value is not None:
        fits.append(f"with a value {value_in_words(events.value)}")
    if events.dates is not None:
        fits.append(f"dated {dates_in_words(events.dates)}")
    if events.age is not None:
        fits.append(f"at an age of {age_in_words(events.age)}")
    named = noun(events.domain, events.codes, plural=plural)
    return f"{named} {' and '.join(fits)}" if fits else named


def _is_qualified(events: Events) -> bool:
    return any(fit is not None for fit in (events.value, events.dates, events.age))


def _with(head: str, events: Events, *, plain: bool) -> Said:
    """A head with what must hold for each of its events."""
    if not events.related:
        return Said(head)
    moment = moment_of(events.domain)
    inner = tuple(criterion_said(related, moment) for related in events.related)
    holds = "this holds" if len(inner) == 1 else "all of this holds"
    return Said(f"{head}, {'' if plain else 'counting only those '}for which {holds}", inner)


def _event(criterion: EventCriterion, around: Moment) -> Said:
    moment = INDEX if criterion.anchor is Anchor.INDEX else around
    when = window_in_words(criterion.window, moment)
    plain = criterion.count == _ONCE and criterion.edge is None
    exists = plain and criterion.events.occurrence is Occurrence.ANY
    return _with(_head(criterion, when), criterion.events, plain=exists)


def _head(criterion: EventCriterion, when: str) -> str:
    events, count = criterion.events, criterion.count
    one, many = _described(events, plural=False), _described(events, plural=True)
    edge = "" if events.occurrence is Occurrence.ANY else str(events.occurrence)
    if criterion.edge is not None:
        which = f"the {edge} day's {many}" if edge else many
        found = criterion.edge
        return (
            f"the {found.occurrence} value among {which}, {when}, is {value_in_words(found.value)}"
        )
    if count == _ONCE:
        comma = "," if _is_qualified(events) else ""
        return f"the {edge} {one} lies {when}" if edge else f"a {one}{comma} {when}"
    if edge:
        return f"of the {edge} day's {many}, {_counted(count)} {when}"
    return _how_many(count, one, many, when)


def _counted(count: Count) -> str:
    """How many of some events lie in a window, after these were named."""
    if count.distinct_days:
        return f"those on {count_in_words(count)} different days lie"
    if count.at_least == 0 and count.at_most is None:
        return "any number, even none, lie"
    return f"{count_in_words(count).replace('exactly no', 'none')} lie"


def _how_many(count: Count, one: str, many: str, when: str) -> str:
    single = count.at_most == 1 or (count.at_most is None and count.at_least == 1)
    if count.distinct_days:
        days = "day" if single else "different days"
        return f"{many} on {count_in_words(count)} {days}, {when}"
    if count.at_most == 0:
        return f"no {one} {when}"
    if count.at_least == 0 and count.at_most is None:
        return f"any number of {many}, even none, {when}"
    return f"{count_in_words(count)} {one if single else many} {when}"


def _group(group: Group, moment: Moment) -> Said:
    only = group.members[0]
    if group.rule is Rule.NONE and len(group.members) == 1:
        return _negated(only, moment)
    words = {
        Rule.ALL: "all of these",
        Rule.ANY: "any of these",
        Rule.NONE: "none of these",
        Rule.AT_LEAST: f"at least {_amount(group.number)} of these",
        Rule.AT_MOST: f"at most {_amount(group.number)} of these",
    }
    return Said(words[group.rule], tuple(criterion_said(one, moment) for one in group.members))


def _amount(many: int) -> str:
    return number(many) if many else "none"


def _negated(criterion: Criterion, moment: Moment) -> Said:
    """``no drug ...`` where that can be read in one way, else ``not this`` and what it is."""
    said = criterion_said(criterion, moment)
    match criterion:
        case EventCriterion(events=events, count=count, edge=None) if (
            events.occurrence is Occurrence.ANY and count == _ONCE and not events.related
        ):
            return Said(f"no {said.head.removeprefix('a ')}")
        case _:
            return Said("not this", (said,))


def _observed(window: Window, moment: Moment) -> str:
    first, last = window.earliest, window.latest
    if first is None or last is None:
        raise ValueError("an observed window has two ends")
    if first == last:
        return f"under observation on the day that is {day_in_words(first, moment)}"
    return (
        f"under observation without a gap from {day_in_words(first, moment)} "
        f"to {day_in_words(last, moment)}"
    )
