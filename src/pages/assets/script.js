// Comfort on top of pages that work without: suggestions while typing, filters
// that apply at once, buttons that copy, pictures that answer to their tables.
(() => {
  'use strict'
  const root = document.documentElement
  root.classList.add('app-scripted')

  // Suggestions: an ARIA 1.2 combobox with a list box (APG "list autocomplete").
  const suggest = (input) => {
    const list = document.createElement('ul')
    list.className = 'app-suggest'
    list.id = input.id + '-suggestions'
    list.setAttribute('role', 'listbox')
    list.setAttribute('aria-label', 'Suggestions')
    list.hidden = true
    const said = document.createElement('div')
    said.className = 'nhsuk-u-visually-hidden'
    said.setAttribute('role', 'status')
    input.parentElement.append(list, said)
    input.setAttribute('role', 'combobox')
    input.setAttribute('aria-autocomplete', 'list')
    input.setAttribute('aria-expanded', 'false')
    input.setAttribute('aria-controls', list.id)
    let found = []
    let at = -1
    let asked = ''
    let timer = 0
    let asking = null
    let absent = false

    const close = () => {
      list.hidden = true
      at = -1
      input.setAttribute('aria-expanded', 'false')
      input.removeAttribute('aria-activedescendant')
    }
    const mark = (index) => {
      at = index
      ;[...list.children].forEach((item, number) => {
        item.setAttribute('aria-selected', String(number === at))
        if (number === at) item.scrollIntoView({ block: 'nearest' })
      })
      if (at < 0) input.removeAttribute('aria-activedescendant')
      else input.setAttribute('aria-activedescendant', list.children[at].id)
    }
    const choose = (index) => {
      const chosen = found[index]
      close()
      if (chosen.url && chosen.url.startsWith('/')) location.assign(chosen.url)
      else {
        input.value = chosen.text
        input.form.requestSubmit()
      }
    }
    const show = () => {
      list.replaceChildren(
        ...found.map((suggestion, index) => {
          const item = document.createElement('li')
          item.id = list.id + '-' + index
          item.setAttribute('role', 'option')
          item.setAttribute('aria-selected', 'false')
          item.textContent = suggestion.text
          if (suggestion.kind && suggestion.kind !== 'query') {
            const kind = document.createElement('span')
            kind.className = 'app-small'
            kind.textContent = ' in ' + suggestion.kind.replaceAll('-', ' ')
            item.append(kind)
          }
          item.addEventListener('mousedown', (event) => {
            event.preventDefault()
            choose(index)
          })
          return item
        })
      )
      at = -1
      list.hidden = found.length === 0
      input.setAttribute('aria-expanded', String(found.length > 0))
      input.removeAttribute('aria-activedescendant')
      said.textContent =
        found.length === 0 ? '' : found.length + (found.length === 1 ? ' suggestion' : ' suggestions')
    }
    const ask = async () => {
      const words = input.value.trim()
      if (absent || words.length < 2 || words === asked) {
        if (words.length < 2) close()
        return
      }
      asked = words
      if (asking) asking.abort()
      asking = new AbortController()
      try {
        const answer = await fetch('/api/suggest?q=' + encodeURIComponent(words), {
          headers: { accept: 'application/json' },
          signal: asking.signal
        })
        if (!answer.ok) {
          absent = answer.status === 404
          return
        }
        const { suggestions } = await answer.json()
        if (input.value.trim() !== words || document.activeElement !== input) return
        found = suggestions.slice(0, 8)
        show()
      } catch {
        // A question that was given up, or no network: typing goes on.
      }
    }
    input.addEventListener('input', () => {
      clearTimeout(timer)
      timer = setTimeout(ask, 150)
    })
    input.addEventListener('blur', close)
    input.addEventListener('keydown', (event) => {
      if (event.key === 'Escape' && !list.hidden) {
        event.preventDefault()
        close()
      } else if ((event.key === 'ArrowDown' || event.key === 'ArrowUp') && !list.hidden) {
        event.preventDefault()
        const step = event.key === 'ArrowDown' ? 1 : -1
        const count = found.length + 1
        mark(((at + 1 + step + count) % count) - 1)
      } else if (event.key === 'Enter' && at >= 0 && !list.hidden) {
        event.preventDefault()
        choose(at)
      }
    })
  }
  document.querySelectorAll('[data-suggest]').forEach(suggest)

  // Filters apply when one is ticked; focus goes to the number of results.
  document.querySelectorAll('form[data-filters]').forEach((form) => {
    form.addEventListener('change', (event) => {
      if (event.target.type !== 'checkbox') return
      sessionStorage.setItem('insites-filtered', '1')
      form.requestSubmit()
    })
    // Empty fields do not belong in an address that people share.
    form.addEventListener('submit', () => {
      form.querySelectorAll('input').forEach((field) => {
        if (field.value === '') field.disabled = true
      })
    })
  })
  if (sessionStorage.getItem('insites-filtered')) {
    sessionStorage.removeItem('insites-filtered')
    const results = document.getElementById('results')
    if (results) results.focus()
  }

  document.querySelectorAll('[data-copy]').forEach((button) => {
    if (!navigator.clipboard) return
    button.hidden = false
    const text = button.textContent
    button.addEventListener('click', async () => {
      await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent)
      button.textContent = 'Copied'
      setTimeout(() => (button.textContent = text), 3000)
    })
  })

  // A point on the map and its row in the table belong together.
  document.querySelectorAll('.app-point').forEach((point) => {
    const row = document.getElementById(point.dataset.row)
    const set = (on) => () => {
      point.classList.toggle('app-point--on', on)
      row.classList.toggle('app-row--on', on)
    }
    point.addEventListener('mouseenter', set(true))
    point.addEventListener('mouseleave', set(false))
    row.addEventListener('mouseenter', set(true))
    row.addEventListener('mouseleave', set(false))
    row.addEventListener('focusin', set(true))
    row.addEventListener('focusout', set(false))
    point.addEventListener('click', () => {
      const link = row.querySelector('a')
      row.scrollIntoView({ block: 'nearest' })
      if (link) link.focus({ preventScroll: true })
    })
  })

  // The picture of neighbours: choosing a record adds what is around it.
  document.querySelectorAll('.app-graph').forEach((graph) => {
    const picture = graph.querySelector('svg')
    const edges = graph.querySelector('.app-graph__edges')
    const nodes = graph.querySelector('.app-graph__nodes')
    const said = graph.querySelector('.app-graph__said')
    const make = (name, attributes) => {
      const element = document.createElementNS('http://www.w3.org/2000/svg', name)
      for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value)
      return element
    }
    const places = new Map([[graph.dataset.id, [400, 280]]])
    const place = (node) => {
      const circle = node.querySelector('circle')
      return [Number(circle.getAttribute('cx')), Number(circle.getAttribute('cy'))]
    }
    nodes.querySelectorAll('a').forEach((node) => places.set(node.dataset.url, place(node)))
    let box = [0, 0, 800, 560]
    const link = ([x1, y1], [x2, y2]) => edges.append(make('line', { x1, y1, x2, y2 }))
    const clear = ([x, y]) =>
      [...places.values()].every(([a, b]) => Math.hypot(a - x, b - y) > 70)
    // Around a point, going outwards, the first places where nothing is yet.
    const room = ([x, y], count) => {
      const outwards = Math.atan2(y - 280, x - 400)
      const found = []
      for (let far = 110; found.length < count && far < 900; far += 55) {
        for (let turn = 0; turn < 9 && found.length < count; turn += 1) {
          const angle = outwards + (turn % 2 ? 1 : -1) * Math.ceil(turn / 2) * 0.35
          const spot = [x + Math.cos(angle) * far, y + Math.sin(angle) * far]
          if (clear(spot) && found.every(([a, b]) => Math.hypot(a - spot[0], b - spot[1]) > 70)) found.push(spot)
        }
      }
      return found
    }
    const unfold = async (node) => {
      if (node.dataset.unfolded) {
        location.assign(node.dataset.url)
        return
      }
      node.dataset.unfolded = '1'
      const answer = await fetch(node.getAttribute('href'), { headers: { accept: 'application/json' } })
      if (!answer.ok) {
        location.assign(node.getAttribute('href'))
        return
      }
      const { title, neighbours } = await answer.json()
      const here = places.get(node.dataset.url)
      const fresh = neighbours.filter((one) => !places.has(one.url)).slice(0, 8)
      neighbours
        .filter((one) => places.has(one.url))
        .forEach((one) => link(here, places.get(one.url)))
      const spots = room(here, fresh.length)
      fresh.slice(0, spots.length).forEach((one, index) => {
        const [x, y] = spots[index]
        places.set(one.url, [x, y])
        link(here, [x, y])
        const shortened = one.title.length > 26 ? one.title.slice(0, 25) + '…' : one.title
        const added = make('a', {
          class: 'app-node app-node--' + one.kind.replaceAll(/[^A-Za-z]/g, '').toLowerCase(),
          href: one.graph || one.url,
          'aria-label': shortened + ' – ' + one.relation + ': ' + one.title + ', ' + one.kind + (one.status ? ', ' + one.status : '')
        })
        added.dataset.url = one.url
        const text = make('text', { x, y: y + 28 })
        text.textContent = shortened
        const full = make('title', {})
        full.textContent = one.title
        added.append(make('circle', { cx: x, cy: y, r: 13 }), text, full)
        nodes.append(added)
        box = [
          Math.min(box[0], x - 110),
          Math.min(box[1], y - 50),
          Math.max(box[2], x + 110),
          Math.max(box[3], y + 60)
        ]
      })
      picture.setAttribute('viewBox', `${box[0]} ${box[1]} ${box[2] - box[0]} ${box[3] - box[1]}`)
      const open = document.createElement('a')
      open.href = node.dataset.url
      open.textContent = 'Open the record'
      said.replaceChildren(title + ': ' + fresh.length + ' more records are shown around it. ', open)
    }
    nodes.addEventListener('click', (event) => {
      const node = event.target.closest('a')
      if (!node || event.ctrlKey || event.metaKey || event.shiftKey || !node.getAttribute('href').endsWith('/graph')) return
      event.preventDefault()
      unfold(node)
    })
  })

  // Forms: questions that another answer leads to are hidden until it does.
  document.querySelectorAll('[data-shown-by]').forEach((question) => {
    const form = question.closest('form')
    const values = question.dataset.shownWhen.split(' ')
    const look = () => {
      const chosen = [...form.querySelectorAll('[name="' + CSS.escape(question.dataset.shownBy) + '"]:checked')]
      const shown = chosen.some((one) => values.includes(one.value))
      question.hidden = !shown
      // What is hidden is not sent.
      question.querySelectorAll('input, textarea, select').forEach((input) => {
        input.disabled = !shown
      })
    }
    form.addEventListener('change', look)
    look()
  })

  // What is wrong is read first.
  document.querySelectorAll('[data-focus]').forEach((summary) => summary.focus())

  // Case studies that look like the one whose title is typed.
  document.querySelectorAll('[data-alike]').forEach((place) => {
    const input = document.getElementById(place.dataset.alike)
    if (!input) return
    let timer = 0
    const look = async () => {
      const words = input.value.trim()
      if (words.length < 6) {
        place.replaceChildren()
        return
      }
      const answer = await fetch('/api/capture/alike?title=' + encodeURIComponent(words), { headers: { accept: 'application/json' } })
      if (!answer.ok || input.value.trim() !== words) return
      const { alike } = await answer.json()
      if (alike.length === 0) {
        place.replaceChildren()
        return
      }
      const said = document.createElement('p')
      said.textContent = 'These look alike. Is it here already?'
      const list = document.createElement('ul')
      list.className = 'nhsuk-list nhsuk-list--bullet'
      list.append(
        ...alike.map((one) => {
          const link = document.createElement('a')
          link.href = one.url
          link.textContent = one.title
          const item = document.createElement('li')
          item.append(link)
          return item
        })
      )
      place.replaceChildren(said, list)
    }
    input.addEventListener('input', () => {
      clearTimeout(timer)
      timer = setTimeout(look, 400)
    })
  })

  // Leaving a form that was changed is asked about.
  document.querySelectorAll('form[data-asks-before-leaving]').forEach((form) => {
    let changed = false
    form.addEventListener('input', () => {
      changed = true
    })
    form.addEventListener('submit', () => {
      changed = false
    })
    addEventListener('beforeunload', (event) => {
      if (changed) event.preventDefault()
    })
  })
})()
