"""PIRender's face generator in plain torch, over a state dict by its published names.

Written independently of `jaxreact.rendering.pirender`, layer by layer and without its rewriting
of convolutions, for the parity tests and as what the benchmark compares with.
"""

from collections.abc import Mapping

import torch
import torch.nn.functional as F

State = Mapping[str, torch.Tensor]


def act(x):
    return F.leaky_relu(x, 0.1)


def conv(t: State, name: str, x, **options):
    return F.conv2d(x, t[f"{name}.weight"], t[f"{name}.bias"], **options)


def up_conv(t: State, name: str, x):
    weight, bias = t[f"{name}.weight"], t[f"{name}.bias"]
    return F.conv_transpose2d(x, weight, bias, stride=2, padding=1, output_padding=1)


def linear(t: State, name: str, x):
    return F.linear(x, t[f"{name}.weight"], t[f"{name}.bias"])


def layer_norm(t: State, name: str, x):
    return F.layer_norm(x, x.shape[1:], eps=1e-5) * t[f"{name}.weight"] + t[f"{name}.bias"]


def adain(t: State, name: str, x, descriptor):
    hidden = F.relu(linear(t, f"{name}.mlp_shared.0", descriptor))
    gamma = linear(t, f"{name}.mlp_gamma", hidden)[:, :, None, None]
    beta = linear(t, f"{name}.mlp_beta", hidden)[:, :, None, None]
    return F.instance_norm(x, eps=1e-5) * (1 + gamma) + beta


def mapping(t: State, window, at: str = "mapping_net"):
    """(B, coefficients, time) -> (B, descriptor)."""
    x = window
    for name in ("pre", "first.0"):
        if f"{at}.{name}.weight" in t:
            x = F.conv1d(x, t[f"{at}.{name}.weight"], t[f"{at}.{name}.bias"])
    layer = 0
    while f"{at}.encoder{layer}.1.weight" in t:
        name = f"{at}.encoder{layer}.1"
        y = F.conv1d(act(x), t[f"{name}.weight"], t[f"{name}.bias"], dilation=3)
        x = x[:, :, 3:-3] + y
        layer += 1
    return x.mean(dim=2)


def warping_encoder(t: State, image, descriptor, at: str = "warpping_net.hourglass.encoder"):
    """The picture at every size, largest first."""
    outputs = [conv(t, f"{at}.input_layer", image, padding=3)]
    while f"{at}.encoder{len(outputs) - 1}.conv_0.weight" in t:
        name = f"{at}.encoder{len(outputs) - 1}"
        x = act(adain(t, f"{name}.norm_0", outputs[-1], descriptor))
        x = conv(t, f"{name}.conv_0", x, stride=2, padding=1)
        x = act(adain(t, f"{name}.norm_1", x, descriptor))
        outputs.append(conv(t, f"{name}.conv_1", x, padding=1))
    return outputs


def warping_block(t: State, at: str, x, descriptor):
    """One block of the hourglass's decoder: twice the size."""
    y = conv(t, f"{at}.conv_0", act(adain(t, f"{at}.norm_0", x, descriptor)), padding=1)
    y = up_conv(t, f"{at}.conv_1", act(adain(t, f"{at}.norm_1", y, descriptor)))
    return y + up_conv(t, f"{at}.conv_s", act(adain(t, f"{at}.norm_s", x, descriptor)))


def flow(t: State, image, descriptor, at: str = "warpping_net"):
    """(B, 2, H/4, W/4) in pixels of the small map, x first."""
    *skips, x = warping_encoder(t, image, descriptor, f"{at}.hourglass.encoder")
    layer = len(skips) - 1
    while f"{at}.hourglass.decoder.decoder{layer}.conv_0.weight" in t:
        x = warping_block(t, f"{at}.hourglass.decoder.decoder{layer}", x, descriptor)
        x = torch.cat([x, skips[layer]], dim=1)
        layer -= 1
    return conv(t, f"{at}.flow_out.2", act(layer_norm(t, f"{at}.flow_out.0", x)), padding=3)


def warp(image, field):
    """The image fetched from where the field points."""
    height, width = field.shape[2:]
    rows = torch.linspace(-1, 1, height, dtype=field.dtype, device=field.device)
    columns = torch.linspace(-1, 1, width, dtype=field.dtype, device=field.device)
    x = columns[None, None, :] + 2 * field[:, 0] / (width - 1)
    y = rows[None, :, None] + 2 * field[:, 1] / (height - 1)
    grid = torch.stack([x, y], dim=1)
    grid = F.interpolate(grid, size=image.shape[2:], mode="bilinear", align_corners=False)
    return F.grid_sample(image, grid.permute(0, 2, 3, 1), "bilinear", "zeros", align_corners=False)


def normed_conv(t: State, at: str, x):
    x = conv(t, f"{at}.model.0", x, padding=t[f"{at}.model.0.weight"].shape[-1] // 2)
    return act(layer_norm(t, f"{at}.model.1", x))


def residual(t: State, at: str, x, descriptor):
    y = act(adain(t, f"{at}.norm1", conv(t, f"{at}.conv1", x, padding=1), descriptor))
    return adain(t, f"{at}.norm2", conv(t, f"{at}.conv2", y, padding=1), descriptor) + x


def edit(t: State, image, warped, descriptor, at: str = "editing_net"):
    """The picture, tanh included."""
    skips = [normed_conv(t, f"{at}.encoder.first", torch.cat([image, warped], dim=1))]
    while f"{at}.encoder.down{len(skips) - 1}.model.0.weight" in t:
        x = normed_conv(t, f"{at}.encoder.down{len(skips) - 1}", skips[-1])
        skips.append(F.avg_pool2d(x, 2))
    x = skips.pop()
    for layer in reversed(range(len(skips))):
        block = 0
        while f"{at}.decoder.res{layer}.res{block}.conv1.weight" in t:
            x = residual(t, f"{at}.decoder.res{layer}.res{block}", x, descriptor)
            block += 1
        x = F.interpolate(x, scale_factor=2, mode="nearest")
        x = normed_conv(t, f"{at}.decoder.up{layer}", x)
        x = x + normed_conv(t, f"{at}.decoder.jump{layer}", skips[layer])
    return torch.tanh(conv(t, f"{at}.decoder.final.model.0", x, padding=3))


def generate(t: State, image, window):
    """(B, 3, H, W) in [-1, 1], (B, coefficients, time) -> flow, warped image, picture."""
    descriptor = mapping(t, window)
    field = flow(t, image, descriptor)
    warped = warp(image, field)
    return field, warped, edit(t, image, warped, descriptor)
