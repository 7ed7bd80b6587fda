"""The members of an ensemble of teachers, by name or by number."""

from __future__ import annotations

from typing import Any, Self

from skdistill.utils._sklearn_compat import _BaseComposition


class MembersMixin(_BaseComposition):
    """Parameters of an ensemble whose `estimators` are teachers, or pairs of names and teachers."""

    estimators: list[Any]

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Parameters of the ensemble and of its members.

        Parameters
        ----------
        deep : bool, default=True
            Whether to return the members and their parameters too, by name or number.

        Returns
        -------
        parameters : dict
            By name.
        """
        parameters: dict[str, Any] = self._get_params("_members", deep)
        return parameters

    def set_params(self, **params: Any) -> Self:
        """Set parameters, and members or their parameters by name or number.

        Parameters
        ----------
        **params : dict
            As ``forest=...`` or ``forest__max_depth=...``; of members without names
            ``**{"0__max_depth": ...}``.

        Returns
        -------
        self : estimator
            The same ensemble.
        """
        if "estimators" in params:  # first: the other names refer to these
            self.estimators = params.pop("estimators")
        self._set_params("_members", **params)
        return self

    @property
    def _members(self) -> list[tuple[str, Any]]:
        """Pairs of names and teachers; numbers where there are no names."""
        if _are_named(self.estimators):
            return list(self.estimators)
        return [(str(number), member) for number, member in enumerate(self.estimators)]

    @_members.setter
    def _members(self, members: list[tuple[str, Any]]) -> None:
        named = _are_named(self.estimators)
        self.estimators = members if named else [member for _, member in members]

    @property
    def _used_members(self) -> list[tuple[str, Any]]:
        """Those that are not dropped."""
        return [(name, one) for name, one in self._members if not is_dropped(one)]


def is_dropped(member: Any) -> bool:
    """Whether a member is left out.

    Parameters
    ----------
    member : teacher or "drop"
        As it was passed by a user.

    Returns
    -------
    dropped : bool
    """
    return isinstance(member, str) and member == "drop"


def _are_named(estimators: list[Any]) -> bool:
    return all(
        isinstance(one, tuple) and len(one) == 2 and isinstance(one[0], str) for one in estimators
    )
