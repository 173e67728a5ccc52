// One head on one canvas, in the light (shade.py) and before the camera (camera.py) of the videos.

const VERTEX = `
attribute vec3 color;
attribute float gloss;
varying vec3 place, turned, albedo;
varying float shine;
void main() {
  place = position;
  turned = normal;
  albedo = pow(color, vec3(2.2));
  shine = gloss;
  gl_Position = projectionMatrix * viewMatrix * vec4(position, 1.0);
}`;

const PORTRAIT = `
uniform vec3 KEY, FILL, RIM, SPARK, KEY_COLOR, FILL_COLOR, RIM_COLOR, SKY, GROUND, WRAP;
varying vec3 place, turned, albedo;
varying float shine;
void main() {
  vec3 normal = normalize(turned);
  vec3 view = normalize(cameraPosition - place);
  vec3 light = mix(GROUND, SKY, 0.5 + 0.5 * normal.y);
  light += KEY_COLOR * max((dot(normal, KEY) + WRAP) / (1.0 + WRAP), 0.0);
  light += FILL_COLOR * max(dot(normal, FILL), 0.0);
  light += RIM_COLOR * max(dot(normal, RIM), 0.0) * (1.0 - max(dot(normal, view), 0.0));
  float cosine = clamp(dot(normal, normalize(view + SPARK)), 1e-4, 1.0);
  float highlight = 1.3 * shine * exp((10.0 + 600.0 * shine * shine) * log(cosine));
  gl_FragColor = vec4(pow(min(albedo * light + highlight, 1.0), vec3(1.0 / 2.2)), 1.0);
}`;

const WALL = `
varying vec2 at;
uniform float aspect;
void main() {
  vec2 away = (at - vec2(0.5, 0.58)) * vec2(aspect, 1.0);
  float glow = exp(-dot(away, away) / 0.18);
  vec3 color = mix(vec3(0.16, 0.20, 0.25), vec3(0.50, 0.56, 0.62), glow);
  gl_FragColor = vec4(pow(color, vec3(1.0 / 2.2)), 1.0);
}`;

const BEHIND = `
varying vec2 at;
void main() {
  at = uv;
  gl_Position = vec4(position.xy, 1.0, 1.0);
}`;

class View {
  // Throws where the browser has no WebGL.
  constructor(canvas, head, camera, light) {
    this.head = head;
    this.middle = camera.middle;
    this.distance = camera.distance - camera.middle;
    // Four fragments a pixel instead of multisampling, which darkens pixels beside thin triangles.
    this.renderer = new THREE.WebGLRenderer({ canvas, antialias: false });
    this.renderer.setPixelRatio(2 * Math.min(window.devicePixelRatio, 2));
    this.camera = new THREE.PerspectiveCamera(camera.degrees, 1, 1, 2 * camera.distance);
    this.scene = new THREE.Scene();
    this.wall = this.#add(new THREE.PlaneGeometry(2, 2), {
      vertexShader: BEHIND,
      fragmentShader: WALL,
      uniforms: { aspect: { value: 1 } },
      depthTest: false,
      depthWrite: false,
    });
    this.wall.renderOrder = -1;
    this.geometry = new THREE.BufferGeometry();
    this.geometry.setIndex(new THREE.BufferAttribute(head.faces, 1));
    for (const name of ["position", "normal"]) {
      const values = new Float32Array(3 * head.count);
      this.geometry.setAttribute(name, new THREE.BufferAttribute(values, 3));
    }
    this.geometry.setAttribute("color", new THREE.BufferAttribute(head.colors, 3, true));
    this.geometry.setAttribute("gloss", new THREE.BufferAttribute(head.gloss, 1, true));
    const uniforms = Object.fromEntries(
      Object.entries(light).map(([name, value]) => [name, { value }]),
    );
    this.#add(this.geometry, {
      vertexShader: VERTEX,
      fragmentShader: PORTRAIT,
      uniforms,
      side: THREE.DoubleSide,
    });
    this.turn(0);
  }

  #add(geometry, options) {
    const mesh = new THREE.Mesh(geometry, new THREE.ShaderMaterial(options));
    mesh.frustumCulled = false;
    this.scene.add(mesh);
    return mesh;
  }

  // World positions of the mesh, xyz.
  get positions() {
    return this.geometry.attributes.position.array;
  }

  // Gives the head its pose; `draw` shows it.
  pose(coeffs) {
    const { position, normal } = this.geometry.attributes;
    this.head.place(coeffs, position.array);
    this.head.normals(position.array, normal.array);
    position.needsUpdate = normal.needsUpdate = true;
  }

  // Walks around the head by so many degrees; 0 is in front of it.
  turn(degrees) {
    const angle = (degrees * Math.PI) / 180;
    const { middle, distance } = this;
    this.camera.position.set(Math.sin(angle) * distance, 0, middle + Math.cos(angle) * distance);
    this.camera.lookAt(0, 0, middle);
  }

  draw() {
    const { clientWidth: width, clientHeight: height } = this.renderer.domElement;
    if (!width || !height) return;
    this.renderer.setSize(width, height, false);
    this.camera.aspect = width / height;
    this.camera.updateProjectionMatrix();
    this.wall.material.uniforms.aspect.value = width / height;
    this.renderer.render(this.scene, this.camera);
  }
}
