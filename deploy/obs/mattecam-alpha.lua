-- OBS filters for Mattecam's virtual camera (V4L2). Load them in OBS under Tools > Scripts.
-- "person and alpha side by side": for `--alpha-output side-by-side`, the person on black at the left, alpha as grey at the
--   right. It makes one picture with alpha of both.
-- "true colours": for the camera without alpha. OBS takes every V4L2 device for BT.709, and Mattecam sends BT.601.

obs = obslua

local EFFECT = [[
uniform float4x4 ViewProj;
uniform texture2d image;
uniform float2 size;
uniform float device;

sampler_state clamped {
    Filter = Linear;
    AddressU = Clamp;
    AddressV = Clamp;
};

struct Vertex {
    float4 pos : POSITION;
    float2 uv : TEXCOORD0;
};

Vertex place(Vertex v)
{
    Vertex placed;
    placed.pos = mul(float4(v.pos.xyz, 1.0), ViewProj);
    placed.uv = v.uv;
    return placed;
}

// What a picture of BT.601 shows, from the same picture decoded as BT.709; only devices are decoded so.
float3 true_colours(float3 seen)
{
    float red = dot(seen, float3(0.91360, 0.07848, 0.00792));
    float green = dot(seen, float3(-0.10504, 1.17217, -0.06713));
    float blue = dot(seen, float3(0.00958, 0.03222, 0.95820));
    return lerp(seen, clamp(float3(red, green, blue), 0.0, 1.0), device);
}

float4 join(Vertex v) : TARGET
{
    float2 at = float2(clamp(v.uv.x * 0.5, 0.5 / size.x, 0.5 - 0.5 / size.x), v.uv.y);
    float alpha = image.Sample(clamped, at + float2(0.5, 0.0)).r;
    float3 person = true_colours(image.Sample(clamped, at).rgb);
    return float4(min(person / max(alpha, 0.00392), 1.0), alpha);
}

float4 colour(Vertex v) : TARGET
{
    return float4(true_colours(image.Sample(clamped, v.uv).rgb), 1.0);
}

technique Draw
{
    pass
    {
        vertex_shader = place(v);
        pixel_shader = PIXELS(v);
    }
}
]]

-- pixels: the function of the effect that draws; parts: how many pictures stand side by side
local function new_filter(id, name, pixels, parts)
    local filter = {
        id = id,
        type = obs.OBS_SOURCE_TYPE_FILTER,
        output_flags = obs.OBS_SOURCE_VIDEO,
    }

    filter.get_name = function()
        return name
    end

    filter.create = function(settings, source)
        local data = { source = source, width = 0, height = 0, device = 0 }
        obs.obs_enter_graphics()
        local text = EFFECT:gsub("PIXELS", pixels) -- gsub returns two values
        data.effect = obs.gs_effect_create(text, id, nil)
        if data.effect ~= nil then
            data.size = obs.gs_effect_get_param_by_name(data.effect, "size")
            data.is_device = obs.gs_effect_get_param_by_name(data.effect, "device")
        end
        obs.obs_leave_graphics()
        return data
    end

    filter.destroy = function(data)
        if data.effect ~= nil then
            obs.obs_enter_graphics()
            obs.gs_effect_destroy(data.effect)
            obs.obs_leave_graphics()
        end
    end

    filter.get_width = function(data)
        return data.width
    end

    filter.get_height = function(data)
        return data.height
    end

    filter.video_tick = function(data, seconds)
        local target = obs.obs_filter_get_target(data.source)
        if target ~= nil then
            data.width = math.floor(obs.obs_source_get_base_width(target) / parts)
            data.height = obs.obs_source_get_base_height(target)
        end
        local camera = obs.obs_filter_get_parent(data.source)
        if camera ~= nil then
            data.device = obs.obs_source_get_unversioned_id(camera) == "v4l2_input" and 1 or 0
        end
    end

    filter.video_render = function(data)
        -- without its effect the filter shows nothing: the halves as they are would show alpha as a picture
        if data.effect == nil or data.width == 0 then
            return
        end
        if not obs.obs_source_process_filter_begin(data.source, obs.GS_RGBA, obs.OBS_NO_DIRECT_RENDERING) then
            return
        end
        local size = obs.vec2()
        obs.vec2_set(size, data.width * parts, data.height)
        obs.gs_effect_set_vec2(data.size, size)
        obs.gs_effect_set_float(data.is_device, data.device)
        obs.obs_source_process_filter_end(data.source, data.effect, data.width, data.height)
    end

    return filter
end

function script_description()
    return "Filters for Mattecam's virtual camera: person and alpha side by side, and true colours."
end

obs.obs_register_source(new_filter("mattecam_alpha", "Mattecam: person and alpha side by side", "join", 2))
obs.obs_register_source(new_filter("mattecam_colours", "Mattecam: true colours", "colour", 1))
