"""The built-in model's architecture: a plain pre-norm ViT with timm's parameter names."""

import math

import torch
import torch.nn.functional as F
from torch import nn


class Attention(nn.Module):
    def __init__(self, dim: int, heads: int):
        super().__init__()
        self.heads = heads
        self.scale = (dim // heads) ** -0.5
        self.qkv = nn.Linear(dim, 3 * dim)
        self.proj = nn.Linear(dim, dim)

    def forward(self, x, first_only=False):
        """first_only: the result of the first token alone, which still attends to all of them."""
        batch, tokens, dim = x.shape
        # Head by head on views of one product: for so few tokens the copies which a batched layout of the
        # heads needs would cost more than the smaller products.
        if first_only:
            queries = F.linear(x[:, :1], self.qkv.weight[:dim], self.qkv.bias[:dim])
            others = F.linear(x, self.qkv.weight[dim:], self.qkv.bias[dim:])
            queries = queries.view(batch, 1, self.heads, -1).unbind(2)
            others = others.view(batch, tokens, 2 * self.heads, -1).unbind(2)
        else:
            parts = self.qkv(x).view(batch, tokens, 3 * self.heads, -1).unbind(2)
            queries, others = parts[:self.heads], parts[self.heads:]
        unused = x.new_empty(1)
        outputs = []
        for q, k, v in zip(queries, others[:self.heads], others[self.heads:]):
            logits = torch.baddbmm(unused, q, k.transpose(1, 2), beta=0, alpha=self.scale)
            outputs.append(logits.softmax(-1) @ v)
        return self.proj(torch.cat(outputs, 2))


class Mlp(nn.Module):
    def __init__(self, dim: int, hidden: int):
        super().__init__()
        self.fc1 = nn.Linear(dim, hidden)
        self.fc2 = nn.Linear(hidden, dim)

    def forward(self, x):
        return self.fc2(F.gelu(self.fc1(x)))


class Block(nn.Module):
    def __init__(self, dim: int, heads: int, hidden: int, eps: float):
        super().__init__()
        self.norm1 = nn.LayerNorm(dim, eps=eps)
        self.attn = Attention(dim, heads)
        self.norm2 = nn.LayerNorm(dim, eps=eps)
        self.mlp = Mlp(dim, hidden)

    def forward(self, x, first_only=False):
        attended = self.attn(self.norm1(x), first_only)
        x = (x[:, :1] if first_only else x) + attended
        return x + self.mlp(self.norm2(x))


class PatchEmbed(nn.Module):
    def __init__(self, patch: int, dim: int):
        super().__init__()
        self.proj = nn.Conv2d(3, dim, patch, patch)


class VisionTransformer(nn.Module):
    def __init__(self, image_size=32, patch_size=4, embed_dim=128, depth=4, num_heads=4, mlp_dim=256,
                 num_classes=10, layer_norm_eps=1e-6):
        super().__init__()
        self.config = dict(image_size=image_size, patch_size=patch_size, embed_dim=embed_dim, depth=depth,
                           num_heads=num_heads, mlp_dim=mlp_dim, num_classes=num_classes,
                           layer_norm_eps=layer_norm_eps)
        grid = image_size // patch_size
        self.patch_size = patch_size
        self.patch_embed = PatchEmbed(patch_size, embed_dim)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, embed_dim))
        self.pos_embed = nn.Parameter(torch.zeros(1, 1 + grid * grid, embed_dim))
        self.blocks = nn.ModuleList(
            Block(embed_dim, num_heads, mlp_dim, layer_norm_eps) for _ in range(depth))
        self.norm = nn.LayerNorm(embed_dim, eps=layer_norm_eps)
        self.head = nn.Linear(embed_dim, num_classes)

    def forward(self, images, keep=None):
        """images: normalized [B,3,H,W]; keep: [B,K] patch numbers to look at, None for all of them."""
        batch = images.shape[0]
        dim = self.pos_embed.shape[-1]
        # The convolution has stride = kernel size, so it is one product over flattened patches; unfolding
        # first lets dropped patches cost nothing.
        patches = F.pixel_unshuffle(images, self.patch_size).flatten(2).transpose(1, 2)
        position = self.pos_embed[:, 1:]
        if keep is not None:
            patches = patches.gather(1, keep[:, :, None].expand(-1, -1, patches.shape[2]))
            position = position[0][keep]
        x = F.linear(patches, self.patch_embed.proj.weight.view(dim, -1), self.patch_embed.proj.bias) + position
        x = torch.cat([(self.cls_token + self.pos_embed[:, :1]).expand(batch, -1, -1), x], 1)
        last = len(self.blocks) - 1
        for i, block in enumerate(self.blocks):
            # Only the class token is read in the end, so the last block need not compute the others.
            x = block(x, first_only=i == last)
        # Normalizing the class token alone equals normalizing all tokens and taking the first.
        return self.head(self.norm(x[:, 0]))


def _frequencies(grid: int):
    # With these the sum of the cosines over all frequencies is `grid` at distance 0 and 0 at every other distance
    # within the grid: dot products of positions single out one row and one column.
    return (torch.arange(grid) + 0.5) * (math.pi / grid)


def _positions(grid: int):
    """[grid², 4·grid]: for row, then column, a (cosine, sine) pair of every frequency."""
    angle = torch.arange(grid)[:, None] * _frequencies(grid)[None]
    pairs = torch.stack([angle.cos(), angle.sin()], 2).flatten(1)
    row = pairs[:, None].expand(grid, grid, -1)
    column = pairs[None].expand(grid, grid, -1)
    return torch.cat([row, column], 2).reshape(grid * grid, -1)


def _shift(grid: int, offset):
    """The matrix which turns the position of each patch into that of the patch at (row, column) offset."""
    blocks = []
    for distance in offset:
        for frequency in _frequencies(grid).tolist():
            cosine, sine = math.cos(frequency * distance), math.sin(frequency * distance)
            blocks.append(torch.tensor([[cosine, -sine], [sine, cosine]]))
    return torch.block_diag(*blocks)


# Where the heads look at first, block after block.
OFFSETS = [
    [(0, 1), (0, -1), (1, 0), (-1, 0)],
    [(1, 1), (-1, -1), (1, -1), (-1, 1)],
    [(0, 2), (0, -2), (2, 0), (-2, 0)],
]
# The attention logit of the patch a head looks at first; same row or column gets half, all others 0.
PEAK = 6.0


@torch.no_grad()
def initialize(model: VisionTransformer, generator: torch.Generator):
    """Initial weights with which each head looks at one neighbor, as a convolution's tap would.

    A transformer has to learn from data that near patches belong together; with few images and little time it
    had better start there and unlearn what does not help (structured initialization of attention). The first
    4·grid channels carry the position alone, the others the content; all of them can change in training.
    """
    config = model.config
    dim, heads = config["embed_dim"], config["num_heads"]
    head_dim = dim // heads
    grid = config["image_size"] // config["patch_size"]
    place = 4 * grid
    if place > head_dim:
        raise ValueError(f"positions take {place} channels, a head has {head_dim}")

    def normal(*shape, std):
        return torch.randn(*shape, generator=generator) * std

    model.pos_embed.zero_()
    model.pos_embed[0, 1:, :place] = _positions(grid)
    model.cls_token.copy_(normal(1, 1, dim, std=0.02))
    # Without a position the class token's query starts near 0: it averages all patches.
    model.cls_token[..., :place] = 0
    projection = model.patch_embed.proj
    projection.weight.copy_(normal(*projection.weight.shape, std=1 / math.sqrt(projection.weight[0].numel())))
    projection.weight[:place] = 0
    projection.bias.zero_()
    # Two positions have the product 2·grid at most.
    gain = math.sqrt(PEAK * math.sqrt(head_dim) / (2 * grid))
    for number, block in enumerate(model.blocks):
        qkv, proj = block.attn.qkv, block.attn.proj
        qkv.bias.zero_()
        proj.bias.zero_()
        qkv.weight.copy_(normal(*qkv.weight.shape, std=0.3 / math.sqrt(dim)))
        for head in range(heads):
            offset = OFFSETS[number % len(OFFSETS)][head % 4]
            first = head * head_dim
            qkv.weight[first:first + place, :place] += gain * _shift(grid, offset)
            qkv.weight[dim + first:dim + first + place, :place] += gain * torch.eye(place)
        # Value times projection starts near -0.4 of the identity ("Mimetic initialization of self-attention
        # layers", Trockman and Kolter 2023); with a neighbor's value this is the difference to the neighbor.
        target = 0.4 * normal(dim, dim, std=1 / math.sqrt(dim)) - 0.4 * torch.eye(dim)
        u, s, vt = torch.linalg.svd(target)
        qkv.weight[2 * dim:] = (u * s.sqrt()).T
        proj.weight.copy_((s.sqrt()[:, None] * vt).T)
        for linear in (block.mlp.fc1, block.mlp.fc2):
            linear.weight.copy_(normal(*linear.weight.shape, std=1 / math.sqrt(linear.weight.shape[1])))
            linear.bias.zero_()
        block.mlp.fc2.weight.mul_(0.5)
        # Nothing writes to the position's channels at first.
        qkv.weight[2 * dim:, :place] = 0
        proj.weight[:place] = 0
        block.mlp.fc2.weight[:place] = 0
    model.head.weight.copy_(normal(*model.head.weight.shape, std=0.02))
    model.head.bias.zero_()
