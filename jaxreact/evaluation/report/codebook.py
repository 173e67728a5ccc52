"""How the codes of the tokenizer are used: by what was generated, and by people."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from jaxreact.evaluation.report.evaluated import Evaluated, of_most, spread
from jaxreact.evaluation.report.scores import scored
from jaxreact.html.axes import Axes, Margins
from jaxreact.html.charts import Drawing, Figure, Key, grid, group, line
from jaxreact.systems.system import Codebook

CLIPS = 100
"""Clips whose codes are counted at most. The same frames of each side, so that shares compare."""

SMALL, LARGE = (380, 250), (780, 320)


@dataclass(frozen=True)
class Use:
    """How often each code occurs in the frames of one side."""

    kind: str
    name: str
    counts: Int[np.ndarray, "codes"]

    @property
    def used(self) -> int:
        """Codes that occur at all."""
        return int((self.counts > 0).sum())

    @property
    def perplexity(self) -> float:
        """exp of the entropy: how many equally frequent codes would be as varied."""
        share = self.counts[self.counts > 0] / self.counts.sum()
        return float(np.exp(-(share * np.log(share)).sum()))

    @property
    def ranked(self) -> Float[np.ndarray, "used"]:
        """Shares of the codes that occur, the most frequent first."""
        return np.sort(self.counts[self.counts > 0])[::-1] / self.counts.sum()


def section(evaluated: Evaluated, codebook: Codebook | None) -> dict[str, Any]:
    """Share of the codes used, perplexity and rank-frequency curves, or why there are none."""
    if evaluated.predictions.coeffs is None:
        return {"missing": "coefficients"}
    if codebook is None:
        return {"missing": "codebook"}
    shown = spread(evaluated.shape[0], CLIPS)
    uses = _count(evaluated, codebook, shown)
    size = codebook.codebook_size
    return {
        "missing": None,
        "frames": int(uses[0].counts.sum()),
        "clips": of_most(shown, evaluated.shape[0]),
        "size": size,
        "uses": uses,
        "chart": _chart(uses),
    }


def _count(evaluated: Evaluated, codebook: Codebook, shown: np.ndarray) -> list[Use]:
    """Codes of what was generated and, where the data set is at hand, of both persons."""
    block = codebook.block_size
    frames = evaluated.shape[2] // block * block
    names = {"model": f"{scored(evaluated)}, generated"}
    if evaluated.recorded is not None:
        names |= {"truth": "Listener, recorded", "speaker": "Speaker, recorded"}
    counts = {kind: np.zeros(codebook.codebook_size, int) for kind in names}
    assert evaluated.predictions.coeffs is not None
    for clip in shown:
        faces = {"model": evaluated.predictions.coeffs[clip, 0]}
        if evaluated.recorded is not None:
            sides = evaluated.recorded.coeffs(int(clip), frames)
            faces |= {"truth": sides["listener"], "speaker": sides["speaker"]}
        batch = np.stack([face[:frames] for face in faces.values()])
        for kind, codes in zip(faces, np.asarray(codebook.codes_of(batch)), strict=True):
            counts[kind] += np.bincount(codes, minlength=codebook.codebook_size)
    return [Use(kind, name, counts[kind]) for kind, name in names.items()]


def _chart(uses: list[Use]) -> Figure:
    """Share of the frames by rank, both axes logarithmic: a code used twice as often is as far."""
    longest = max(use.used for use in uses)
    shares = [100 * use.ranked for use in uses]
    ends = (min(s[-1] for s in shares) / 1.3, max(s[0] for s in shares) * 1.3)
    words = "; ".join(f"{use.name}: {use.used} codes used" for use in uses)
    description = f"Share of the frames by rank of the code. {words}."
    drawings = []
    for style, size in {"small": SMALL, "large": LARGE}.items():
        across = (1.0, float(max(2, longest)))
        axes = Axes(across, ends, size, log_x=True, log_y=True, margins=Margins(48, 16, 10, 40))
        shapes = grid(axes, name="rank of the code")
        for use, share in zip(reversed(uses), reversed(shares), strict=True):
            ranks = np.arange(1, len(share) + 1)
            kept = np.unique(np.geomspace(1, len(share), 300).astype(int)) - 1
            shapes.append(group(use.kind, line(axes, "line", ranks[kept], share[kept])))
        drawings.append(Drawing(size, description, shapes, style))
    keys = [Key(use.kind, use.name.lower()) for use in uses]
    return Figure("% of the frames with a code, codes by rank", drawings, keys, wide=True)
