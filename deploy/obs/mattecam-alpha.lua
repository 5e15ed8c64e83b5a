-- OBS filter for Mattecam's `--alpha-output side-by-side`: the person on black at the left, alpha as grey at the right.
-- It makes one picture with alpha of both. Load it in OBS under Tools > Scripts, then add it as a filter of the camera.

obs = obslua

local EFFECT = [[
uniform float4x4 ViewProj;
uniform texture2d image;
uniform float2 size;

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

float4 join(Vertex v) : TARGET
{
    float2 at = float2(clamp(v.uv.x * 0.5, 0.5 / size.x, 0.5 - 0.5 / size.x), v.uv.y);
    float alpha = image.Sample(clamped, at + float2(0.5, 0.0)).r;
    float3 person = image.Sample(clamped, at).rgb;
    return float4(min(person / max(alpha, 0.00392), 1.0), alpha);
}

technique Draw
{
    pass
    {
        vertex_shader = place(v);
        pixel_shader = join(v);
    }
}
]]

local filter = {
    id = "mattecam_alpha",
    type = obs.OBS_SOURCE_TYPE_FILTER,
    output_flags = obs.OBS_SOURCE_VIDEO,
}

filter.get_name = function()
    return "Mattecam: person and alpha side by side"
end

filter.create = function(settings, source)
    local data = { source = source, width = 0, height = 0 }
    obs.obs_enter_graphics()
    data.effect = obs.gs_effect_create(EFFECT, "mattecam-alpha", nil)
    if data.effect ~= nil then
        data.size = obs.gs_effect_get_param_by_name(data.effect, "size")
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
        data.width = math.floor(obs.obs_source_get_base_width(target) / 2)
        data.height = obs.obs_source_get_base_height(target)
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
    obs.vec2_set(size, data.width * 2, data.height)
    obs.gs_effect_set_vec2(data.size, size)
    obs.obs_source_process_filter_end(data.source, data.effect, data.width, data.height)
end

function script_description()
    return "Filter for Mattecam's side-by-side output: joins the person and its alpha."
end

obs.obs_register_source(filter)
