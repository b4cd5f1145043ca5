"""Looking up vectors and measuring distances to them, written for PyTorch."""

from __future__ import annotations

from foveal.engines.source.code import Piece, Rows, call
from foveal.net.layers import RBF, Embed
from foveal.net.program import Step

HELPERS = {
    "Embed": '''
class Embed(nn.Embedding):
    """A vector for each number; its features become the channels."""

    def forward(self, x: Tensor) -> Tensor:
        numbers = x.long() if x.dim() == 2 else x[:, 0].long()
        return super().forward(numbers).movedim(-1, 1)
''',
    "RBF": '''
class RBF(nn.Module):
    """Squared distances to learned prototypes."""

    def __init__(self, in_features: int, out_features: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(out_features, in_features))

    def forward(self, x: Tensor) -> Tensor:
        return (x.unsqueeze(1) - self.weight).square().sum(2)
''',
}


def embed(step: Step, shared: bool) -> tuple[Piece, ...]:
    kind = step.kind
    assert isinstance(kind, Embed)
    sizes = {"num_embeddings": kind.num_embeddings, "embedding_dim": kind.features}
    return (Piece(call("Embed", sizes)),)


def rbf(step: Step, shared: bool) -> tuple[Piece, ...]:
    kind = step.kind
    assert isinstance(kind, RBF)
    sizes = {"in_features": step.ins[0][0], "out_features": kind.out_features}
    after = ".requires_grad_(False)" if kind.frozen else ""
    return (Piece(call("RBF", sizes, after=after)),)


ROWS: Rows = {Embed: embed, RBF: rbf}
