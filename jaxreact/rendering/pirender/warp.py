"""Moving a picture by a flow, as PIRender's warping network does it."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

Image = Float[Array, "batch height width 3"]
Flow = Float[Array, "batch flow_height flow_width 2"]
Neighbours = Float[Array, "batch height_and_1 width_and_1 12"]


def positions(flow: Flow, height: int, width: int) -> Float[Array, "batch height width 2"]:
    """Where each pixel of a picture of this size is fetched from: x, y in its pixels, centres
    whole.

    `flow` is in pixels of its own, smaller map, x first. As in the original, coordinates from -1
    to 1 mean the centres of the map's outer pixels, but the outer edges of the picture's: without
    a flow the picture is a little smaller, about its middle, by one part in the map's side.
    """
    flow_height, flow_width = flow.shape[1:3]
    flow = flow.astype(jnp.float32)
    x = jnp.linspace(-1, 1, flow_width) + 2 * flow[..., 0] / (flow_width - 1)
    y = jnp.linspace(-1, 1, flow_height)[:, None] + 2 * flow[..., 1] / (flow_height - 1)
    field = jnp.stack([x, y], axis=-1)
    shape = (len(flow), height, width, 2)
    field = jax.image.resize(field, shape, "linear", precision=jax.lax.Precision.HIGHEST)
    return ((field + 1) * jnp.array([width, height], jnp.float32) - 1) / 2


def neighbours(image: Image) -> Neighbours:
    """The four pixels around every place between pixels, zeros beyond the edge.

    In this form a bilinear sample fetches from one place instead of four.
    """
    x = jnp.pad(image, ((0, 0), (1, 1), (1, 1), (0, 0)))
    corners = (x[:, :-1, :-1], x[:, :-1, 1:], x[:, 1:, :-1], x[:, 1:, 1:])
    return jnp.concatenate(corners, axis=-1)


def sample(
    around: Neighbours, places: Float[Array, "many height width 2"]
) -> Float[Array, "many height width 3"]:
    """Bilinear samples, zero outside, of each picture (`batch` is `many`) or of one for all.

    `places` as `positions` gives them.
    """
    height, width = around.shape[1] - 1, around.shape[2] - 1
    # All that lies further out than one pixel is as zero as there.
    x = jnp.clip(places[..., 0], -1, width)
    y = jnp.clip(places[..., 1], -1, height)
    left, top = jnp.minimum(jnp.floor(x), width - 1), jnp.minimum(jnp.floor(y), height - 1)
    index = ((top + 1) * (width + 1) + left + 1).astype(jnp.int32)
    flat = around.reshape(len(around), -1, 12)
    if len(flat) == 1:
        around = flat[0][index]
    else:
        around = jax.vmap(lambda pixels, where: pixels[where])(flat, index)
    around = around.reshape(*index.shape, 2, 2, 3)
    x, y = (x - left)[..., None, None], (y - top)[..., None]
    rows = around[..., 0, :] * (1 - x) + around[..., 1, :] * x
    return rows[..., 0, :] * (1 - y) + rows[..., 1, :] * y
